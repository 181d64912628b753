import { accessSync, constants, createReadStream, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import {
  type Actor,
  createDb,
  type Db,
  type Finding,
  keepsPreparedStatements,
  type LogVerification,
  parseVerificationKeys,
  plainQueries,
  RedactionRequest,
  redactEvents,
  redactExpired,
  RegistryError,
  scriptActor,
  SigningKeyError,
  StreamId,
  type VerificationKey,
  verifyLog,
} from '@breakpilot/tenant-core'
import { latestVersion, MigrationError, schemaStatus } from '@breakpilot/tenant-migrations'
import type { Surroundings } from './program.ts'

/** What `audit-verify` is told. */
export interface VerifyOptions {
  readonly stream?: string
  readonly checkpoints?: string
  readonly publicKey?: string
  readonly search?: boolean
}

/** What `audit-redact` is told. */
export interface RedactOptions {
  readonly event?: readonly string[]
  readonly actor?: string
  readonly target?: string
  readonly product?: string
  readonly stream?: string
  readonly expired?: boolean
  readonly dryRun?: boolean
  readonly skipHeld?: boolean
  readonly reason: string
  readonly by: string
}

/**
 * Verifies everything and says what was found, one line each, and what it came to.
 * @throws {MigrationError} `failed` when something is not as it was written
 */
export async function verify({ config, output, signal }: Surroundings, options: VerifyOptions): Promise<void> {
  const keys = options.publicKey === undefined ? undefined : readKeys(options.publicKey)
  const stream_id = options.stream === undefined ? undefined : streamOf(options.stream)
  const { checkpoints, search } = options
  if (checkpoints !== undefined) refuseUnreadable(checkpoints, '--checkpoints')
  const report = (found: Finding) => output.result('finding', found, findingText(found))
  const result = await withDatabase(config().connectionString, async (db) => {
    const lines = checkpoints === undefined ? undefined : () => linesOf(checkpoints)
    return await verifyLog(db, { keys, stream_id, checkpoints: lines, search, report, signal })
  })
  const { last, ...counts } = result
  const summary = { ...counts, last_checkpoint: last?.number ?? null, keys: keys ? 'given' : 'database' }
  output.result('audit-verify', summary, verifiedText(result, keys !== undefined))
  if (result.findings > 0) throw new MigrationError('failed', `the log is not as it was written: ${findings(result)}`)
}

/**
 * Redacts events, and says how many.
 * @throws {MigrationError} `usage` for what makes no sense, `failed` for what cannot be done
 */
export async function redact({ config, output }: Surroundings, options: RedactOptions): Promise<void> {
  if (options.dryRun === true) throw new MigrationError('usage', '--dry-run goes with --expired')
  const parsed = RedactionRequest.safeParse({
    event_ids: options.event,
    actor_id: options.actor,
    target_id: options.target,
    product: options.product,
    stream_id: options.stream,
    reason: options.reason,
    skip_held: options.skipHeld,
  })
  if (!parsed.success) throw new MigrationError('usage', usageOf(parsed.error.issues))
  const { events, streams, held, forgotten } = await withDatabase(
    config().connectionString,
    async (db) => await redactEvents(db, operator(options.by), parsed.data),
  )
  const text = `redacted ${events} events in ${streams} streams, forgot what was remembered of ${forgotten}${heldText(held)}`
  output.result('audit-redact', { events, streams, held, forgotten }, text)
}

/**
 * Redacts what no plan keeps any longer of the log that it is in, or counts it.
 * @throws {MigrationError} `usage` for what makes no sense, `failed` for what cannot be done
 */
export async function redactOver({ config, output, signal }: Surroundings, options: RedactOptions): Promise<void> {
  const { dryRun = false, by, reason } = options
  const other = (['event', 'actor', 'target', 'product', 'stream'] as const).find((name) => options[name] !== undefined)
  if (other !== undefined)
    throw new MigrationError('usage', `--expired goes without --${other}: it is about all streams`)
  const expired = await withDatabase(
    config().connectionString,
    async (db) => await redactExpired(db, operator(by), { reason, dryRun, signal }),
  )
  const text = `${dryRun ? 'would redact' : 'redacted'} ${expired.events} events in ${expired.streams} streams${heldText(expired.held)}`
  output.result('audit-redact', { dry_run: dryRun, ...expired }, text)
}

const operator = (by: string): Actor => ({ ...scriptActor(by), role: 'operator' })

const heldText = (held: readonly StreamId[]) =>
  held.length === 0 ? '' : `; ${held.length} under a legal hold were left as they are`

/** The options that the fields of a request come from. */
const optionOf: Readonly<Record<string, string>> = {
  event_ids: '--event',
  actor_id: '--actor',
  target_id: '--target',
  product: '--product',
  stream_id: '--stream',
  reason: '--reason',
}

function usageOf(issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]): string {
  const [issue] = issues
  const option = optionOf[String(issue?.path[0])]
  return `${option === undefined ? 'it' : option} ${issue?.message ?? 'makes no sense'}`
}

/** One database for one command. What it says of itself becomes what this program says. */
async function withDatabase<Result>(connectionString: string, fn: (db: Db) => Promise<Result>): Promise<Result> {
  // Behind a pooler that forgets statements none has a name, and whoever reads much plans each part of it anew.
  const prepare = await keepsPreparedStatements({ connectionString }).catch((error: unknown) => {
    throw explained(error)
  })
  const db = createDb({ connectionString, poolSize: 2, applicationName: 'tenant-migrate', prepare })
  try {
    const { state, version } = await schemaStatus(plainQueries(db))
    if (state === 'older') {
      throw new MigrationError(
        'usage',
        `the database is at version ${version}, ${latestVersion} is needed: migrate first`,
      )
    }
    return await fn(db)
  } catch (error) {
    throw explained(error)
  } finally {
    await db.destroy()
  }
}

function explained(error: unknown): unknown {
  if (!(error instanceof RegistryError)) return error
  if (error.code === 'database.unavailable') return new MigrationError('unreachable', 'the database cannot be reached')
  return new MigrationError('failed', `${error.title}${error.detail === undefined ? '' : `. ${error.detail}`}`)
}

function readKeys(file: string): VerificationKey[] {
  refuseUnreadable(file, '--public-key')
  try {
    return parseVerificationKeys(readFileSync(file, 'utf8'))
  } catch (error) {
    if (error instanceof SigningKeyError) throw new MigrationError('usage', `--public-key: the file ${error.message}`)
    throw error
  }
}

function refuseUnreadable(file: string, option: string): void {
  try {
    accessSync(file, constants.R_OK)
  } catch {
    throw new MigrationError('usage', `${option}: the file cannot be read`)
  }
}

function streamOf(text: string): StreamId {
  const parsed = StreamId.safeParse(text)
  if (!parsed.success) throw new MigrationError('usage', '--stream must be a UUID')
  return parsed.data
}

const linesOf = (file: string): AsyncIterable<string> =>
  createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Infinity })

function findingText({ code, message, stream_id, stream_seq, event_id, checkpoint }: Finding): string {
  const places = [
    ...(stream_id === null ? [] : [`stream ${stream_id}`]),
    ...(stream_seq === null ? [] : [`place ${stream_seq}`]),
    ...(event_id === null ? [] : [`event ${event_id}`]),
    ...(checkpoint === null ? [] : [`checkpoint ${checkpoint}`]),
  ]
  return `${code}: ${places.join(', ')}: ${message}`
}

const findings = ({ findings: count }: LogVerification) => `${count} ${count === 1 ? 'finding' : 'findings'}`

function verifiedText(result: LogVerification, hasKeys: boolean): string {
  const { rows, streams, redacted, uncertified_rows, checkpoints, checkpoints_in_lines } = result
  return [
    `${rows} rows in ${streams} streams verified, ${redacted} of them redacted; ${checkpoints} checkpoints, ${checkpoints_in_lines} in the file: ${findings(result)}`,
    ...(uncertified_rows === 0
      ? []
      : [
          `${uncertified_rows} rows came after the last checkpoint of their stream: they fit together, no more is known`,
        ]),
    ...(hasKeys ? [] : ['signatures were verified by the keys that the database names; --public-key trusts nobody']),
  ].join('\n')
}
