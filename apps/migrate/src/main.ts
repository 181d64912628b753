#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { exitCodes, MigrationError } from '@breakpilot/tenant-migrations'
import { CommanderError } from 'commander'
import { readConfig } from './config.ts'
import type { Config } from './config.ts'
import { createOutput } from './output.ts'
import { createProgram } from './program.ts'

let config: Config | undefined
const { argv, env, stdout } = process
// Known before the arguments are parsed: what is wrong with them has to be said in one form or the other.
const json = argv.includes('--json') || (!stdout.isTTY && !argv.includes('--no-json'))
const output = createOutput(json, () => (config === undefined ? [] : [config.connectionString]))

const stop = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    // Who asks twice does not want to wait; the database rolls back by itself.
    if (stop.signal.aborted) process.exit(exitCodes.failed)
    stop.abort()
  })
}

const program = createProgram({
  appVersion: env['APP_VERSION'] || ownVersion(),
  output,
  signal: stop.signal,
  config: () => (config ??= readConfig(env)),
})

try {
  await program.parseAsync(argv)
} catch (error) {
  process.exitCode = exitCodeOf(error)
}

function exitCodeOf(error: unknown): number {
  if (!(error instanceof CommanderError)) return output.failure(error)
  if (error.exitCode === 0) return 0
  // Without a command the help was the answer, and says enough.
  if (error.code === 'commander.help') return exitCodes.usage
  return output.failure(new MigrationError('usage', error.message.replace(/^error: /, '')))
}

function ownVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : 'unknown'
}
