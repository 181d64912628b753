import type { Reader } from '../db/handles.ts'
import type { StreamId } from '../id.ts'
import type { ChainHead } from './checkpoint.ts'
import { listStarts } from './stream-start.repository.ts'
import * as repository from './verification.repository.ts'
import type { StreamStart } from './verification.ts'

/** How many streams are looked at together. */
const streamsAtOnce = 500

/** Streams next to each other. */
export interface StreamPage {
  /** The place before the first one, and the last one there could be. Rows in between belong to one of these, or none. */
  readonly after: repository.LogPlace
  readonly last: string
  /** The streams that there should be, in the order of their ids. */
  readonly ids: readonly StreamId[]
  /** The heads of those that have one. */
  readonly heads: ReadonlyMap<StreamId, ChainHead>
  /** Where those begin whose first rows were dropped with their month. */
  readonly starts: ReadonlyMap<StreamId, StreamStart>
  /** Those that are the logs of tenants, which their rows name. */
  readonly tenants: ReadonlySet<StreamId>
}

/**
 * Every stream, also those that only checkpoints know, a page at a time. The heads are read before the rows are: what
 * they say must be there.
 * @param known streams that are known from elsewhere
 */
export async function* streamPages(db: Reader, known: readonly StreamId[]): AsyncGenerator<StreamPage> {
  let after: string | undefined
  for (;;) {
    const heads = await repository.listStreamHeads(db, after, streamsAtOnce)
    const isLast = heads.length < streamsAtOnce
    const last = isLast ? repository.lastStream : (heads.at(-1)?.stream_id ?? repository.lastStream)
    const lost = await repository.listLostStreams(db, after, last)
    const isHere = (id: StreamId) => (after === undefined || id > after) && id <= last
    const ids = [...new Set([...heads.map(({ stream_id }) => stream_id), ...lost, ...known.filter(isHere)])].sort()
    yield {
      after: after === undefined ? repository.placeBefore() : repository.placeBehind(after),
      last,
      ids,
      heads: byStream(heads),
      starts: await listStarts(db, ids),
      tenants: new Set(await repository.listTenants(db, ids)),
    }
    if (isLast) return
    after = last
  }
}

/** One stream alone. */
export async function* onlyStream(db: Reader, id: StreamId): AsyncGenerator<StreamPage> {
  const head = await repository.findStreamHead(db, id)
  yield {
    after: repository.placeBefore(id),
    last: id,
    ids: [id],
    heads: byStream(head ? [head] : []),
    starts: await listStarts(db, [id]),
    tenants: new Set(await repository.listTenants(db, [id])),
  }
}

const byStream = (heads: readonly ChainHead[]) => new Map(heads.map((head) => [head.stream_id, head]))
