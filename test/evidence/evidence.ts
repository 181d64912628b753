import {
  appendEvents,
  chainHash,
  type ChainHead,
  type Checkpoint,
  checkpointRecords,
  createDb,
  type Db,
  type Finding,
  housekeeping,
  type LogVerificationOptions,
  newSigningKeyText,
  type NewAuditEvent,
  parseSigningKey,
  type SigningKey,
  type StreamId,
  streamOf,
  takeCheckpoints,
  verifyLog,
} from '@breakpilot/tenant-core'
import { Client, type QueryResult, type QueryResultRow } from 'pg'
import { makeMonths } from '../audit-outlets/past.ts'
import { migratedDatabase, type TestDatabase } from '../postgres/database.ts'

/** A log of its own, with somebody who takes checkpoints of it and somebody who can write all of the database. */
export interface Evidence {
  readonly database: TestDatabase
  readonly db: Db
  readonly key: SigningKey
  /** What was told outside of the database, as lines of the server's log. */
  readonly lines: string[]
  /** Appends events to the stream of a group, and answers the stream. */
  append(count: number, fields?: Partial<NewAuditEvent>): Promise<StreamId>
  checkpoint(key?: SigningKey): Promise<number>
  /** SQL as the role that owns everything. */
  tamper(text: string, values?: unknown[]): Promise<void>
  /** The same, where there is something to be told of it. */
  read<Row extends QueryResultRow>(text: string): Promise<QueryResult<Row>>
  /** Everything that a verification finds, by the key that is known outside of the database. */
  findings(options?: Partial<LogVerificationOptions>): Promise<Finding[]>
  close(): Promise<void>
}

export const aSigningKey = () => parseSigningKey(newSigningKeyText())

export async function anEvidence(): Promise<Evidence> {
  const database = await migratedDatabase()
  const db = createDb({ connectionString: database.runtimeUrl })
  const owner = new Client({ connectionString: database.ownerUrl })
  await owner.connect()
  const key = aSigningKey()
  const lines: string[] = []
  const publish = (checkpoint: Checkpoint, heads: readonly ChainHead[]) => {
    for (const record of checkpointRecords(checkpoint, heads)) {
      lines.push(JSON.stringify({ level: 'info', ...record, msg: record.event }))
    }
  }
  let events = 0
  return {
    database,
    db,
    key,
    lines,
    async append(count, fields = {}) {
      const made = Array.from({ length: count }, () => anEvent((events += 1), fields))
      await housekeeping(db, async (tx) => await appendEvents(tx, made))
      const { product, environment, group, tenant_id } = anEvent(0, fields)
      return streamOf({ tenant_id, product, environment, group_id: group?.id ?? null })
    },
    checkpoint: async (by = key) => await takeCheckpoints(db, by, publish),
    async tamper(text, values) {
      await owner.query(text, values)
    },
    read: async (text) => await owner.query(text),
    async findings(options = {}) {
      const found: Finding[] = []
      await verifyLog(db, { keys: [key.publicKey], report: (each) => found.push(each), ...options })
      return found
    },
    async close() {
      await owner.end()
      await db.destroy()
      await database.drop()
    },
  }
}

/** An event with a value in every column there is. */
const anEvent = (n: number, fields: Partial<NewAuditEvent> = {}): NewAuditEvent => ({
  tenant_id: null,
  product: 'certifai',
  environment: 'live',
  action: 'report.opened',
  crud: 'r',
  group: { id: 'group-1', name: 'Group 1' },
  actor: { id: 'u1', name: `Jane ${n}`, href: 'https://example.org/u1', fields: [['role', 'admin']] },
  target: { id: 't1', name: 'Report', href: 'https://example.org/t1', type: 'report', fields: [['pages', '3']] },
  created_at: new Date(1_750_000_000_000 + n),
  source_ip: '192.0.2.1',
  description: 'Ünïcode 🚲',
  component: 'web',
  version: '1.2.3',
  external_id: `ext-${n}`,
  is_anonymous: false,
  is_failure: true,
  fields: [['n', String(n)]],
  metadata: [['request_id', `req-${n}`]],
  ...fields,
})

/** The lines as a source that is read from the beginning each time. */
export const linesOf = (lines: readonly string[]) =>
  async function* () {
    yield* lines
  }

/**
 * Moves the first rows of a stream into another month, as if they had come in then: the whole chain is made anew, so this
 * has to be done before a checkpoint is taken of it.
 */
export async function backdate(evidence: Evidence, stream: StreamId, last: number, received_at: Date): Promise<void> {
  await makeMonths(evidence.database, `${received_at.toISOString().slice(0, 7)}-01`)
  await relink(evidence, stream, 1, (row) => (row.stream_seq <= last ? { ...row, received_at } : row))
}

/**
 * What somebody does who can write the whole database and knows how the log is made: changes a row, and makes every link
 * behind it anew, the head of the stream included.
 */
export async function forge(evidence: Evidence, stream: StreamId, seq: number, action: string): Promise<void> {
  await relink(evidence, stream, seq, (row) => (row.stream_seq === seq ? { ...row, action } : row))
}

const rowsFrom = async ({ db }: Evidence, stream: StreamId, seq: number) =>
  await db
    .selectFrom('audit_log')
    .selectAll()
    .where('stream_id', '=', stream)
    .where('stream_seq', '>=', seq)
    .orderBy('stream_seq')
    .execute()

type LogRow = Awaited<ReturnType<typeof rowsFrom>>[number]

/** Changes rows of a stream from a place on, and makes their links anew, the head of the stream included. */
async function relink(evidence: Evidence, stream: StreamId, from: number, change: (row: LogRow) => LogRow) {
  const rows = await rowsFrom(evidence, stream, from)
  let previous = rows[0]?.prev_hash
  for (const row of rows.map(change)) {
    if (!previous) throw new Error('there is nothing to change')
    const link = chainHash(previous, row.personal_digest, row)
    await evidence.tamper(
      'update audit_log set action = $2, received_at = $3, prev_hash = $4, chain_hash = $5 where id = $1',
      [row.id, row.action, row.received_at, previous, link],
    )
    previous = link
  }
  await evidence.tamper('update registry.audit_streams set last_hash = $2 where stream_id = $1', [stream, previous])
}
