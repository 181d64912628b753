import { createMigrationFiles, createMigrator, latestVersion, MigrationError } from '@breakpilot/tenant-migrations'
import type { Migrator, MigratorOptions, Outcome } from '@breakpilot/tenant-migrations'
import { Command, InvalidArgumentError, Option } from 'commander'
import { addAuditCommands } from './audit-program.ts'
import type { Config } from './config.ts'
import { parseDuration } from './duration.ts'
import type { Output } from './output.ts'
import { retentionText } from './retention-text.ts'
import { statusText } from './status-text.ts'

export interface Surroundings {
  readonly appVersion: string
  readonly output: Output
  readonly signal: AbortSignal
  /** Read only by the commands that need a database. */
  readonly config: () => Config
}

interface GlobalOptions {
  wait?: number
  lockWait?: number
  lockTimeout?: number
}

interface UpOptions extends GlobalOptions {
  to?: number
  steps?: number
  dryRun?: boolean
  allowOutOfOrder?: boolean
  runtimeRole?: string
}

interface DownOptions extends GlobalOptions {
  to?: number
  steps?: number
  all?: boolean
  iKnowThisIsProd?: boolean
}

/** The command line of `tenant-migrate`. Each command is one call of the migrator and one answer. */
export function createProgram(surroundings: Surroundings): Command {
  const { appVersion, output, signal, config } = surroundings
  const migrator = (options: GlobalOptions, more: Partial<MigratorOptions> = {}): Migrator => {
    const { connectionString, waitMs, runtimeRole } = config()
    return createMigrator({
      connectionString,
      waitMs: options.wait ?? waitMs,
      // What judges as `up` does judges the role too.
      runtimeRole,
      ...(options.lockWait === undefined ? {} : { lockWaitMs: options.lockWait }),
      ...(options.lockTimeout === undefined ? {} : { lockTimeoutMs: options.lockTimeout }),
      appVersion,
      signal,
      log: output.log,
      ...more,
    })
  }
  const allowed = (command: string, options: DownOptions): void => {
    if (config().prod && options.iKnowThisIsProd !== true) {
      throw new MigrationError(
        'refused_in_prod',
        `${command} is refused where APP_ENV is prod; say --i-know-this-is-prod`,
      )
    }
  }
  const answer = (event: string, { done, version }: Outcome): void => {
    const what = done.length === 0 ? 'nothing to do' : `${event === 'up' ? 'applied' : 'reverted'} ${done.join(', ')}`
    output.result(event, { done, version }, `${what}; the database is at version ${version}`)
  }

  const program = new Command('tenant-migrate')
    .description('Applies, reverts and inspects the schema of the tenant registry. DATABASE_URL says where.')
    .version(appVersion)
    .option('--wait <time>', 'how long to wait for the database (MIGRATE_WAIT, default 60s)', duration)
    .option('--lock-wait <time>', 'how long to wait while another process migrates (default 60s)', duration)
    .option(
      '--lock-timeout <time>',
      'how long a statement in a transaction may wait for a lock on a table (default 5s)',
      duration,
    )
    .option('--json', 'one JSON object a line, also on a terminal')
    .option('--no-json', 'text, also where stdout is no terminal')
    .exitOverride()
    .configureOutput({ outputError: () => undefined })

  program
    .command('up')
    .description('apply what is pending')
    .addOption(toOption().conflicts('steps'))
    .option('--steps <n>', 'apply this many', positive)
    .option('--dry-run', 'say what would be applied, change nothing')
    .option('--allow-out-of-order', 'apply a migration although a newer one is applied already')
    .option('--runtime-role <name>', 'the role the server runs as (RUNTIME_ROLE)')
    .action(async (_, command: Command) => {
      const { to, steps, dryRun, ...options } = command.optsWithGlobals<UpOptions>()
      const up = migrator(options, {
        runtimeRole: options.runtimeRole ?? config().runtimeRole,
        allowOutOfOrder: options.allowOutOfOrder === true,
      })
      if (dryRun !== true) return answer('up', await up.up({ to, steps }))
      const names = (await up.plan({ to, steps })).map(({ name }) => name)
      const text = names.length === 0 ? 'nothing to do' : names.map((name) => `would apply ${name}`).join('\n')
      output.result('dry-run', { pending: names }, text)
    })

  program
    .command('down')
    .description('revert the newest migration, or more')
    .addOption(toOption().conflicts(['steps', 'all']))
    .addOption(new Option('--steps <n>', 'revert this many').argParser(positive).conflicts('all'))
    .option('--all', 'revert everything')
    .option('--i-know-this-is-prod', 'where APP_ENV is prod')
    .action(async (_, command: Command) => {
      const { to, steps, all, ...options } = command.optsWithGlobals<DownOptions>()
      allowed('down', options)
      answer('down', await migrator(options).down({ to, steps, all: all === true }))
    })

  program
    .command('version')
    .description('the version of the database')
    .action(async (_, command: Command) => {
      const { version, dirty } = await migrator(command.optsWithGlobals()).version()
      output.result('version', { version, dirty, latest: latestVersion }, `${version}${dirty ? ' (dirty)' : ''}`)
    })

  for (const name of ['status', 'verify'] as const) {
    program
      .command(name)
      .description(name === 'status' ? 'every migration and where it stands' : 'refuse what up would refuse')
      .action(async (_, command: Command) => {
        const status = await migrator(command.optsWithGlobals())[name]()
        output.result(name, status, statusText(status))
      })
  }

  program
    .command('plan')
    .description('the SQL that up would run')
    .addOption(toOption().conflicts('steps'))
    .option('--steps <n>', 'this many', positive)
    .option('--allow-out-of-order', 'as for up')
    .action(async (_, command: Command) => {
      const { to, steps, ...options } = command.optsWithGlobals<UpOptions>()
      const planned = await migrator(options, { allowOutOfOrder: options.allowOutOfOrder === true }).plan({ to, steps })
      for (const { version, name, up } of planned) {
        output.result('plan', { version, name, sql: up }, `-- ${name}.up.sql\n${up}`)
      }
    })

  program
    .command('force')
    .description('declare the database whole at a version, without running anything')
    .argument('<version>', 'the version', count)
    .option('--i-know-this-is-prod', 'where APP_ENV is prod')
    .action(async (version: number, _, command: Command) => {
      const options = command.optsWithGlobals<DownOptions>()
      allowed('force', options)
      const outcome = await migrator(options).force(version)
      output.result('force', { version: outcome.version }, `the database is at version ${outcome.version}`)
    })

  program
    .command('audit-retention')
    .description('drop the months of the audit log that no plan keeps any longer')
    .option('--dry-run', 'say which they are, change nothing')
    .action(async (_, command: Command) => {
      const { dryRun = false, ...options } = command.optsWithGlobals<GlobalOptions & { dryRun?: boolean }>()
      const outcome = await migrator(options).auditRetention({ dryRun })
      output.result('audit-retention', { dry_run: dryRun, ...outcome }, retentionText(outcome, dryRun))
    })

  program
    .command('create')
    .description('the next pair of empty migration files, in a checkout')
    .argument('<name>', 'like add_team_table')
    .action((name: string) => {
      const files = createMigrationFiles(name)
      output.result('create', { files }, files.join('\n'))
    })

  addAuditCommands(program, surroundings)
  return program
}

function toOption(): Option {
  return new Option('--to <version>', 'up to and including this version; reverting: back to it').argParser(count)
}

function duration(text: string): number {
  const durationMs = parseDuration(text)
  if (durationMs === undefined) throw new InvalidArgumentError('Use a time like 500ms, 60s or 5m.')
  return durationMs
}

function count(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Use a whole number.')
  return Number(text)
}

function positive(text: string): number {
  if (count(text) === 0) throw new InvalidArgumentError('Use a whole number above 0.')
  return Number(text)
}
