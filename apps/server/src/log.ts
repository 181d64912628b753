import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino'

/** The log: one JSON object a line, on standard output unless told. */
export function createLog(level: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: { service: 'tenant-registry' },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // Whatever is logged one day: these never.
      redact: ['*.authorization', '*.cookie', '*.password', '*.connectionString', '*.secret', '*.token'],
    },
    destination ?? pino.destination(1),
  )
}
