import { setTimeout as sleep } from 'node:timers/promises'
import type { Db, Reader } from '../db/handles.ts'
import { housekeeping } from '../db/housekeeping.ts'
import { RegistryError } from '../errors.ts'
import type { Sight } from '../sight.ts'
import * as feed from './change.repository.ts'
import type { ChangeListener } from './listener.ts'
import { type ChangePage, type ChangeQuery, changesLimit } from './registry-change.ts'

/**
 * How many changes are looked at for a product. One that few tenants have gets an empty answer now and then, with
 * `has_more`, instead of a statement that walks through a week.
 */
const consideredMax = 5_000

/**
 * Answers what came after a place in the feed, as far as the sight goes. What is out of sight is passed over once and
 * for all: `next_after` is behind it.
 * @throws {RegistryError} `changes.expired` when something of it is no longer kept, or the feed never came that far
 */
export async function listChanges(db: Reader, sight: Sight, query: ChangeQuery = {}): Promise<ChangePage> {
  const { after = null, limit = changesLimit.default } = query
  // Whoever is neither of the platform nor a product sees what concerns no product at all: nothing.
  const product = sight.kind === 'platform' ? null : sight.kind === 'product' ? sight.product : ''
  const considered = product === null ? limit + 1 : consideredMax
  const rows = await feed.readFeed(db, { after, considered, product, limit: limit + 1 })
  const { head, reached } = rows[0] ?? broken()
  if (after !== null && (after > head || (after < head && reached === null))) throw expired(after, head)

  const changes = rows.flatMap(({ n, at, kind, tenant_id, ref_id }) =>
    n === null || at === null || kind === null || tenant_id === null || ref_id === null
      ? []
      : [{ n, at, kind, tenant_id, ref_id }],
  )
  const data = changes.slice(0, limit)
  const last = data.at(-1)
  const next_after = changes.length > limit && last ? last.n : (reached ?? head)
  return { data, has_more: next_after < head, next_after, head }
}

function broken(): never {
  throw new Error('registry.change_counter has no row')
}

function expired(after: number, head: number): RegistryError {
  const why = after > head ? 'The feed never came that far.' : 'What came next is no longer kept.'
  return new RegistryError('changes.expired', {
    detail: `${why} Reload what you keep of the registry; the feed goes on after ${head}.`,
  })
}

/** Milliseconds between two looks of one who waits: in a storm of commits that are not for it, it need not see each. */
const restMs = 100

/**
 * Answers as `listChanges`, and when there is nothing waits for it: until there is something, the query's `wait` is
 * over, the process stops, or the caller is gone. While it waits it holds no connection.
 * @throws {RegistryError} `changes.expired`, `changes.too_many_waiters`
 */
export async function followChanges(
  db: Db,
  listener: ChangeListener,
  sight: Sight,
  query: ChangeQuery = {},
  signal?: AbortSignal,
): Promise<ChangePage> {
  const deadline = performance.now() + (query.wait ?? 0) * 1_000
  const isDone = (page: ChangePage) =>
    page.data.length > 0 || page.has_more || listener.isClosed || signal?.aborted || performance.now() >= deadline
  const first = await listChanges(db, sight, query)
  if (isDone(first)) return first
  return await listener.waitIn(async (passed) => {
    let page = first
    while (!isDone(page)) {
      const { next_after: after } = page
      const woken = await passed(after, { timeoutMs: deadline - performance.now(), signal })
      if (!woken) break
      const read = async () => await listChanges(db, sight, { ...query, after })
      page = await listener.share([sight, after, query.limit], read)
      if (!isDone(page)) await sleep(restMs, undefined, { signal }).catch(() => undefined)
    }
    return page
  })
}

const dayMs = 86_400_000
const keptDays = 7
const cleaningRows = 5_000

/**
 * Deletes changes that are older than seven days, a part at a time. Whoever has not read them is told so by
 * `changes.expired`. Of two processes that do this at once, one does it.
 * @returns how many are gone
 */
export async function cleanChanges(db: Db, signal?: AbortSignal): Promise<number> {
  for (let gone = 0; ;) {
    const before = new Date(Date.now() - keptDays * dayMs)
    const deleted = await housekeeping(db, async (tx) =>
      (await feed.tryCleaningTurn(tx)) ? await feed.deleteChangesBefore(tx, before, cleaningRows) : 0,
    )
    gone += deleted
    if (deleted < cleaningRows || signal?.aborted) return gone
  }
}
