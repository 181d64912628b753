import { uuidv7 } from 'uuidv7'
import { boundedRead } from '../../db/bounded-read.ts'
import type { Db, Reader } from '../../db/handles.ts'
import { RegistryError } from '../../errors.ts'
import type { Actor } from '../actor.ts'
import { audited, changed } from '../audited.ts'
import { ExportDesk } from '../export-desk.ts'
import type { SearchExpression } from '../search-language.ts'
import type { Place } from './cursor.ts'
import { type AuditRow, readNextEvents } from './event-page.repository.ts'
import { tenantOfGroup } from './group-state.ts'
import { instantOf } from './instant.ts'
import * as exports from './saved-export.repository.ts'
import type { SavedExport, SavedSearch } from './saved-export.ts'
import type { GroupScope, LogScope } from './scope.ts'
import { auditSearchMsMax, searchOf, withGroupNames } from './search.service.ts'

/** How many exports a group may have saved, or somebody of the platform's. */
export const savedExportsMax = 1_000

/**
 * Saves a search under a name.
 * @param viewerActorId who saves it, as the product calls them
 * @throws {RegistryError} `audit_search.invalid` for a search that cannot be read, `audit_export.too_many`
 */
export async function saveExport(
  db: Db,
  actor: Actor,
  scope: GroupScope,
  { name, body }: Pick<SavedExport, 'name' | 'body'>,
  viewerActorId: string | null,
): Promise<Omit<SavedExport, 'saved_at'>> {
  searchOfExport(body)
  return await audited(db, actor, async (tx) => {
    assertRoom(await exports.countExports(tx, scope))
    const saved = { id: uuidv7(), name, body }
    await exports.insertExport(tx, scope, { ...saved, saved_by: viewerActorId })
    return changed(saved, {
      action: 'audit_export.saved',
      crud: 'c',
      tenant: await tenantOfGroup(tx, scope.group),
      target: { id: saved.id, type: 'audit_export', name },
      after: { product: scope.product, environment: scope.environment, group_id: scope.group.id, body },
    })
  })
}

/** @throws {RegistryError} `audit_export.too_many` when so many are saved that there may be no more */
export function assertRoom(saved: number): void {
  if (saved < savedExportsMax) return
  throw new RegistryError('audit_export.too_many', { detail: `At most ${savedExportsMax}.` })
}

/** The exports of a scope, newest first. */
export async function listExports(db: Reader, scope: GroupScope, limit: number): Promise<SavedExport[]> {
  return await exports.listExports(db, scope, Math.min(limit, savedExportsMax))
}

/** @throws {RegistryError} `audit_export.not_found` */
export async function getExport(db: Reader, scope: GroupScope, id: string): Promise<SavedExport> {
  const found = await exports.findExport(db, scope, id)
  if (!found) throw new RegistryError('audit_export.not_found')
  return found
}

/** How many events are read at once for a file. */
const rowsAtOnce = 500

/**
 * What a saved search finds, newest first, some at a time: never more of it is held than these.
 * @throws {RegistryError} `audit_search.invalid`, `audit_export.too_many_running`, `database.busy`
 */
export async function* exportedEvents(db: Db, scope: LogScope, body: SavedSearch): AsyncGenerator<AuditRow[], void> {
  const search = searchOfExport(body)
  const desk = ExportDesk.of(db)
  const leave = desk.enter()
  try {
    let before: Place | undefined
    for (;;) {
      const place = before
      const read = async () =>
        await boundedRead(db, auditSearchMsMax, async (reader) => {
          const next = await readNextEvents(reader, { scope, search, before: place, limit: rowsAtOnce })
          return { ...next, rows: await withGroupNames(reader, next.rows) }
        })
      const { rows, isLast } = await desk.inTurn(read)
      if (rows.length > 0) yield rows
      const last = rows.at(-1)
      if (!last || isLast) return
      before = { at: last.canonical_at, id: last.id }
    }
  } finally {
    leave()
  }
}

/**
 * What a saved search asks for.
 * @throws {RegistryError} `audit_search.invalid`
 */
export function searchOfExport(body: SavedSearch): SearchExpression | undefined {
  const { showCreate, showRead, showUpdate, showDelete } = body
  const flags = { c: showCreate, r: showRead, u: showUpdate, d: showDelete }
  // Nothing to show is everything, as the viewer itself shows it when nothing is ticked.
  const shown = Object.entries(flags).flatMap(([letter, flag]) => (flag === true ? [letter] : []))
  const [from, to] = [instant('startTime', body.startTime), instant('endTime', body.endTime)]
  const parts = [
    searchOf(body.searchQuery),
    shown.length > 0 ? ({ kind: 'crud', values: shown } as const) : undefined,
    from || to ? ({ kind: 'time', field: 'received', from, to } as const) : undefined,
  ].filter((part) => part !== undefined)
  return parts.length > 1 ? { kind: 'all', of: parts } : parts[0]
}

function instant(name: string, value: number | string | null | undefined): Date | undefined {
  if (value === null || value === undefined || value === '') return undefined
  // Milliseconds are within what a text of them can say.
  const at = typeof value === 'number' ? new Date(value) : instantOf(value)
  if (at && instantOf(Number.isNaN(at.getTime()) ? '' : at.toISOString())) return at
  throw new RegistryError('audit_search.invalid', { detail: `${name} is no time.` })
}
