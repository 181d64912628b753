/**
 * Runs what needs no database: `pnpm check`, or only some of it: `pnpm check types lint`.
 * Two at a time, each with its seconds; the output of those that fail.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { exit } from 'node:process'

const root = resolve(import.meta.dirname, '..')
const atOnce = 2

// The longest first.
const checks = new Map<string, string[]>([
  ['packages', ['node', 'scripts/check-packages.ts']],
  ['types', ['tsc', '--noEmit', '-p', 'tsconfig.json']],
  ['browser-types', ['tsc', '--noEmit', '-p', 'apps/audit-viewer/tsconfig.json']],
  ['lint', ['oxlint', '--type-aware', '--deny-warnings']],
  ['dead-code', ['knip']],
  ['openapi', ['redocly', 'lint', 'packages/http/openapi.json', '--extends=recommended', '--max-problems=20']],
  ['format', ['oxfmt', '--check']],
  ['compatibility', ['node', 'scripts/check-openapi.ts']],
])
if (existsSync(join(root, 'scripts/generate.ts'))) {
  checks.set('generated', ['node', '--conditions=@breakpilot/source', 'scripts/generate.ts', '--check'])
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !checks.has(name))
if (unknown.length) {
  console.error(`check: no check named ${unknown.join(', ')}; there are ${[...checks.keys()].join(', ')}`)
  exit(2)
}

const queue = [...checks].filter(([name]) => wanted.length === 0 || wanted.includes(name))
const failed: string[] = []
await Promise.all(
  Array.from({ length: atOnce }, async () => {
    for (let next = queue.shift(); next; next = queue.shift()) await check(...next)
  }),
)
if (failed.length) console.error(`check: ${failed.join(', ')} failed`)
exit(failed.length ? 1 : 0)

async function check(name: string, command: string[]): Promise<void> {
  const started = performance.now()
  const { code, output } = await run(command)
  const seconds = ((performance.now() - started) / 1000).toFixed(1).padStart(5)
  console.log(`check: ${name.padEnd(13)} ${seconds} s  ${code === 0 ? 'ok' : 'FAILED'}`)
  if (code === 0) return
  failed.push(name)
  console.error(`\n$ ${command.join(' ')}\n${output.trim()}\n`)
}

function run([program = '', ...words]: string[]): Promise<{ code: number; output: string }> {
  const bin = join(root, 'node_modules', '.bin')
  return new Promise((done) => {
    const child = spawn(program === 'node' ? process.execPath : join(bin, program), words, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        PATH: `${bin}:${process.env['PATH']}`,
        NO_COLOR: '1',
        REDOCLY_TELEMETRY: 'off',
        REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true',
      },
    })
    let output = ''
    const keep = (chunk: string) => void (output += chunk)
    child.stdout.setEncoding('utf8').on('data', keep)
    child.stderr.setEncoding('utf8').on('data', keep)
    child.once('error', (error) => done({ code: 1, output: String(error) }))
    child.once('close', (code) => done({ code: code ?? 1, output }))
  })
}
