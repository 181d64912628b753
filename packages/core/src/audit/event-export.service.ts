import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { boundedRead } from '../db/bounded-read.ts'
import type { Db, Reader } from '../db/handles.ts'
import { housekeeping } from '../db/housekeeping.ts'
import { RegistryError } from '../errors.ts'
import type { TenantId } from '../id.ts'
import type { Sight } from '../sight.ts'
import type { Actor } from './actor.ts'
import { ownEvent } from './audit-event.ts'
import { appendEvents } from './audit.repository.ts'
import {
  type Branches,
  type ExportWindow,
  findTenantOfLog,
  listLoggedProducts,
  planningOf,
  readExport,
} from './event-export.repository.ts'
import { decodeExportCursor, type EventExportQuery, exportCursors, type ExportFormat } from './event-export.ts'
import { csvHead, toCsv, toNdjson } from './event-text.ts'
import { ExportDesk } from './export-desk.ts'
import { spellMoment } from './moment.ts'
import type { EventRow } from './recorded-event.repository.ts'
import { asShown } from './recorded-event.service.ts'
import { parseSearch } from './search-language.ts'

/** An export that is made while it is read. */
export interface EventExport {
  readonly mediaType: string
  readonly fileName: string
  /** Texts, one after the other; nothing is read before somebody asks for it. */
  readonly chunks: AsyncIterable<string>
}

const forms = {
  csv: { mediaType: 'text/csv; charset=utf-8', head: csvHead, text: toCsv },
  ndjson: { mediaType: 'application/x-ndjson', head: () => '', text: toNdjson },
} as const satisfies Record<ExportFormat, unknown>

/** Little at first, so that there is something soon. */
const rowsFirst = 200
const rowsMax = 4_000
const bytesMax = 8_000_000

/** Milliseconds that a batch may take: an export is patient, and a transaction is not. */
const batchMsMax = 14_000

/**
 * Exports the events in sight that match, as the list of events shows them. Each batch is a short transaction of its
 * own that begins where the last one ended, and takes no part of an event twice: what is recorded meanwhile is in it
 * if its place is still to come. A batch that the database does not give is tried again.
 *
 * That somebody exports is itself an event, of the tenant whose log it is if it is one tenant's.
 * @throws {RegistryError} `page.cursor_invalid`, `audit_search.invalid` at once; from the chunks
 *   `audit_export.too_many_running` before anything is recorded, and `database.…`
 */
export async function exportEvents(db: Db, actor: Actor, query: EventExportQuery): Promise<EventExport> {
  const { format, cursor, ...scope } = query
  const { order = 'newest_first', q, ...filter } = scope
  const after = cursor === undefined ? undefined : decodeExportCursor(scope, cursor)
  const search = q === undefined ? undefined : parseSearch(q)
  const { mediaType, head, text } = forms[format]
  const cursorOf = exportCursors(scope)
  async function* chunks() {
    const left = new AbortController()
    const leave = ExportDesk.of(db).enter()
    try {
      await recordExport(db, actor, query)
      const window = {
        sight: actor.sight,
        filter: { ...filter, search },
        branches: await branchesOf(db, actor.sight, filter),
        direction: order === 'oldest_first' ? 'asc' : 'desc',
        bytesMax,
        after,
      } as const
      let begun = head()
      for await (const rows of batches(db, window, left.signal)) {
        yield begun + text(rows.map((row) => ({ row: asShown(actor.sight, row), cursor: cursorOf(row) })))
        begun = ''
      }
      if (begun !== '') yield begun
    } finally {
      left.abort()
      leave()
    }
  }
  const day = new Date().toISOString().slice(0, 10)
  return { mediaType, fileName: `audit-events-${day}.${format}`, chunks: chunks() }
}

async function branchesOf(
  db: Db,
  sight: Sight,
  { tenant_id, product }: Pick<EventExportQuery, 'tenant_id' | 'product'>,
): Promise<Branches | undefined> {
  if (tenant_id !== undefined || sight.kind === 'product') return undefined
  if (sight.kind === 'tenants') {
    const streams = [...new Set(sight.tenantIds)]
    return streams.length === 1 ? undefined : { column: 'stream_id', values: streams }
  }
  return product === undefined ? { column: 'product', values: await listLoggedProducts(db) } : undefined
}

/**
 * All of it, a batch at a time. The next one is read while the last one is used: it is on its way before that begins, since
 * thousands of events are written without a pause in which anything could be sent.
 * @param left says that nobody wants any more
 */
async function* batches(
  db: Db,
  first: Omit<ExportWindow, 'rowsMax'>,
  left: AbortSignal,
): AsyncGenerator<EventRow[], void> {
  const desk = ExportDesk.of(db)
  const read = async (after: ExportWindow['after'], rows: number, onAsked?: () => void) => {
    const window = { ...first, after, rowsMax: rows }
    const ask = async (reader: Reader) => {
      const batch = readExport(reader, window)
      onAsked?.()
      return await batch
    }
    const batch = patiently(() => desk.inTurn(() => boundedRead(db, batchMsMax, ask, planningOf(window)), left))
    // Whoever stops in between waits for none.
    batch.catch(() => undefined)
    return await batch
  }
  let next = read(first.after, rowsFirst)
  for (;;) {
    const batch = await next
    const last = batch.at(-1)
    if (!last) return
    const asked = Promise.withResolvers<void>()
    next = read({ key: spellMoment(last.canonical_at), id: last.id }, rowsMax, asked.resolve)
    next.catch(() => undefined)
    await Promise.race([asked.promise, sleep(askMsMax)])
    await setImmediate()
    yield batch
  }
}

/** Milliseconds that a batch waits for the next one to be asked for, which may have to wait for its turn, or for a database. */
const askMsMax = 10

const attemptsMax = 4

/** Reads again what the database did not give: a fail-over is no reason to begin an export anew. */
async function patiently<Result>(read: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await read()
    } catch (error) {
      const mayPass = error instanceof RegistryError && error.code.startsWith('database.')
      if (!mayPass || attempt === attemptsMax) throw error
      await sleep(250 * 4 ** (attempt - 1))
    }
  }
}

/** The one tenant whose log is asked for, as far as it is in sight. */
function tenantOf(sight: Sight, asked: TenantId | undefined): TenantId | undefined {
  if (sight.kind === 'platform') return asked
  const ids = sight.kind === 'tenants' ? sight.tenantIds : []
  return ids.find((id) => id === asked || (asked === undefined && ids.length === 1))
}

/** An event of the tenant whose log it is; of nobody in particular where it is more than one. */
async function recordExport(db: Db, actor: Actor, { format, cursor, ...asked }: EventExportQuery): Promise<void> {
  const tenantId = tenantOf(actor.sight, asked.tenant_id)
  await housekeeping(db, async (tx) => {
    const tenant = tenantId && (await findTenantOfLog(tx, tenantId))
    const event = ownEvent(actor, {
      action: 'audit.exported',
      crud: 'c',
      tenant: tenant || null,
      target: { id: tenantId ?? 'audit_log', type: 'audit_log' },
      after: { format, ...asked, ...(cursor !== undefined && { resumed: true }) },
    })
    await appendEvents(tx, [{ ...event, crud: 'r' }])
  })
}
