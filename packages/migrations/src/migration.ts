import { MigrationError } from './migration-error.ts'
import { statementsOf, withoutQuoted } from './sql-text.ts'

/** One migration: a pair of files, as the generated module holds them. */
export interface Migration {
  readonly version: number
  /** `0001_init`: what the files, the history and every message call it. */
  readonly name: string
  /** The sha256 of the LF-normalised up file. */
  readonly checksum: string
  readonly up: string
  readonly down: string
}

/** What the first lines of a file ask for: `-- migrate: …`. */
export interface Directives {
  readonly noTransaction: boolean
  readonly minApp: number | undefined
  readonly eachPartition: string | undefined
}

/** A migration whose directives are read and whose texts are known to be ones the engine can run. */
export interface CheckedMigration extends Migration {
  readonly directives: Directives
  readonly downDirectives: Directives
}

/**
 * Reads the directives of a file: `-- migrate:` comments before its first statement.
 * @throws {MigrationError} `usage` for a directive that does not exist or has a bad argument.
 */
export function directivesOf(file: string, text: string): Directives {
  let noTransaction = false
  let minApp: number | undefined
  let eachPartition: string | undefined
  let head = true
  for (const line of text.split('\n')) {
    const trimmed = line.trim()
    if (trimmed !== '' && !trimmed.startsWith('--')) head = false
    const directive = /^--\s*migrate:\s*(.*)$/.exec(trimmed)?.[1]
    if (directive === undefined) continue
    const refuse = (why: string): MigrationError => new MigrationError('usage', `${file}: "${trimmed}" ${why}`)
    if (!head) throw refuse('must come before the first statement')
    const [word, argument, ...rest] = directive.trim().split(/\s+/)
    if (word === 'no-transaction' && argument === undefined) noTransaction = true
    else if (word === 'min-app' && argument !== undefined && /^[1-9]\d{0,8}$/.test(argument) && rest.length === 0)
      minApp = Number(argument)
    else if (word === 'each-partition' && argument === 'audit_log' && rest.length === 0) eachPartition = argument
    else throw refuse('is no directive; there are: no-transaction, min-app N, each-partition audit_log')
  }
  return { noTransaction, minApp, eachPartition }
}

const transactionControl =
  /^(begin|start\s+transaction|commit|end|rollback|abort|savepoint|release|prepare\s+transaction)\b/i

// What the commit does not end. It would reach the next step, and through a pooler a stranger.
const sessionState = /^(set\b(?!\s+(local|constraints)\s)|(reset|discard|listen|prepare)\b)/i
const sessionLock = /\bpg_(try_)?advisory_lock(_shared)?\s*\(/i

/**
 * Checks a set of migrations and reads their directives, in the order of their versions.
 * @throws {MigrationError} `usage` naming the file: a text without a statement, transaction control inside a file,
 * something that outlives the transaction, more than one statement where only one can run, a version twice.
 */
export function checked(migrations: readonly Migration[]): CheckedMigration[] {
  const versions = new Set<number>()
  return migrations
    .map((migration) => {
      if (versions.has(migration.version)) {
        throw new MigrationError('usage', `${migration.name}: version ${migration.version} exists twice`)
      }
      versions.add(migration.version)
      const directives = checkedText(`${migration.name}.up.sql`, migration.up)
      const downDirectives = checkedText(`${migration.name}.down.sql`, migration.down)
      if (downDirectives.minApp !== undefined || downDirectives.eachPartition !== undefined) {
        throw new MigrationError(
          'usage',
          `${migration.name}.down.sql: a down file knows only the directive no-transaction`,
        )
      }
      return { ...migration, directives, downDirectives }
    })
    .sort((a, b) => a.version - b.version)
}

function checkedText(file: string, text: string): Directives {
  const directives = directivesOf(file, text)
  const statements = statementsOf(text)
  if (statements.length === 0) throw new MigrationError('usage', `${file} has no statement`)
  for (const statement of statements) {
    if (transactionControl.test(statement)) {
      throw new MigrationError('usage', `${file}: "${statement.slice(0, 40)}": the engine owns the transaction`)
    }
    if (sessionState.test(statement) || sessionLock.test(withoutQuoted(statement))) {
      throw new MigrationError(
        'usage',
        `${file}: "${statement.slice(0, 40)}" outlives the transaction; there are "set local" and pg_advisory_xact_lock`,
      )
    }
  }
  if (directives.noTransaction && directives.eachPartition !== undefined) {
    throw new MigrationError('usage', `${file}: each-partition already runs without a transaction`)
  }
  if (directives.noTransaction && statements.length !== 1) {
    throw new MigrationError('usage', `${file}: no-transaction allows one statement, here are ${statements.length}`)
  }
  if (directives.eachPartition !== undefined) partitionIndexesOf(file, text)
  return directives
}

/** A statement of an `each-partition` file, taken apart. */
export interface PartitionIndex {
  readonly unique: boolean
  readonly name: string
  /** Everything after the table's name: `using …`, columns, `include`, `where`. */
  readonly rest: string
}

/**
 * Takes the `create index NAME on audit_log (…)` of an `each-partition` file apart, in their order.
 * @throws {MigrationError} `usage` when the file holds anything else, or a name twice.
 */
export function partitionIndexesOf(file: string, text: string): PartitionIndex[] {
  const indexes = statementsOf(text).map((statement) => {
    const match =
      /^create\s+(unique\s+)?index\s+([a-z_][a-z0-9_]{0,39})\s+on\s+(?:public\.)?audit_log\s*(?=\(|using\b)(.*)$/is.exec(
        statement,
      )
    const [, unique, name, rest] = match ?? []
    if (name === undefined || rest === undefined || name === 'on') {
      throw new MigrationError(
        'usage',
        `${file}: each-partition takes "create index NAME on audit_log (…)", one or several, NAME ≤ 40 bytes`,
      )
    }
    return { unique: unique !== undefined, name: name.toLowerCase(), rest }
  })
  if (new Set(indexes.map(({ name }) => name)).size < indexes.length) {
    throw new MigrationError('usage', `${file}: each-partition takes every name once`)
  }
  return indexes
}
