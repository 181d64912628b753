import { type Command, InvalidArgumentError } from 'commander'
import type { RedactOptions, VerifyOptions } from './audit.ts'
import type { Surroundings } from './program.ts'

/** The commands about the audit log. What they need is loaded when one is asked for: a migration needs none of it. */
export function addAuditCommands(program: Command, surroundings: Surroundings): void {
  program
    .command('audit-verify')
    .description('verify the audit log: every row, every checkpoint; 1 when something is not as it was written')
    .option('--stream <id>', 'this stream alone; checkpoints all the same')
    .option('--checkpoints <file>', "the server's log, from which checkpoints are read: one JSON object a line")
    .option('--public-key <file>', 'the public keys that are trusted, as PEM; else those that the database names')
    .option('--search', 'also whether each row is found by what it says and by nothing else; takes four times as long')
    .action(async (_, command: Command) => {
      const { verify } = await import('./audit.ts')
      await verify(surroundings, command.optsWithGlobals<VerifyOptions>())
    })

  program
    .command('audit-redact')
    .description('erase for good what events say of persons; their places in the chain stay. As the owner of the log')
    .option('--event <id>', 'this event; may be given several times', collected)
    .option('--actor <id>', 'every event that this one did, with --product or --stream')
    .option('--target <id>', 'every event about this one, with --product or --stream')
    .option('--product <key>', 'only what this product recorded')
    .option('--stream <id>', 'only in this stream')
    .option('--expired', 'what is over by the plan of the tenant whose log it is in; by schedule')
    .option('--dry-run', 'with --expired: say how much that is, change nothing')
    .option(
      '--skip-held',
      'leave streams under a legal hold as they are, instead of doing nothing; --expired always does',
    )
    .requiredOption('--reason <text>', 'why; it goes into the log, so it must do without what is erased', filled)
    .requiredOption('--by <id>', 'who does it, as the log is to name them', named)
    .action(async (_, command: Command) => {
      const { redact, redactOver } = await import('./audit.ts')
      const options = command.optsWithGlobals<RedactOptions>()
      await (options.expired === true ? redactOver : redact)(surroundings, options)
    })
}

function collected(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

/** An id of the log has so many bytes at most. */
const idBytesMax = 1_024

function named(value: string): string {
  if (Buffer.byteLength(filled(value)) <= idBytesMax) return value
  throw new InvalidArgumentError(`It must not have more than ${idBytesMax} bytes.`)
}

function filled(value: string): string {
  if (value.trim() === '') throw new InvalidArgumentError('Say something.')
  return value
}
