import { ManifestError } from '@breakpilot/tenant-core'
import { ConfigError, readConfig } from './config.ts'
import { createLog } from './log.ts'
import { startServer } from './server.ts'
import { keepGarbageYoung } from './young-garbage.ts'

/** Whatever stops the boot is one line that names what is wrong. */
function refuse(error: unknown): never {
  const expected =
    error instanceof ConfigError ||
    error instanceof ManifestError ||
    (error instanceof Error && 'code' in error && (error.code === 'EADDRINUSE' || error.code === 'EACCES'))
  const text = expected ? error.message : error instanceof Error ? error.stack : String(error)
  process.stderr.write(`tenant-registry: ${text}\n`)
  process.exit(1)
}

try {
  keepGarbageYoung()
  const config = readConfig(process.env)
  const log = createLog(config.logLevel)
  const server = await startServer(config, log)
  const { addresses, metricsAddresses } = server
  log.info(
    { addresses, metrics_addresses: metricsAddresses, app_env: config.appEnv, auth_mode: config.auth.mode },
    'listening',
  )

  let signals = 0
  const onSignal = (signal: NodeJS.Signals) => {
    signals += 1
    // Whoever asks twice does not want to wait.
    if (signals > 1) process.exit(1)
    log.info({ signal }, 'stopping')
    const late = setTimeout(() => {
      log.error('requests in flight did not end in time')
      process.exit(1)
    }, config.shutdownTimeoutMs)
    server.stop().then(
      () => {
        clearTimeout(late)
        log.info('stopped')
      },
      (error: unknown) => {
        log.fatal({ err: error }, 'could not stop in good order')
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
} catch (error) {
  refuse(error)
}
