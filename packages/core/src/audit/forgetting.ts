import { setTimeout as sleep } from 'node:timers/promises'
import { keyEnvironments } from '../api-keys/token.ts'
import type { Db, Reader } from '../db/handles.ts'
import { housekeeping } from '../db/housekeeping.ts'
import { RegistryError } from '../errors.ts'
import { StreamId } from '../id.ts'
import { deleteEntities, type EntityKey, findEntities, listScopesKnowing, lockEntities } from './entity.repository.ts'
import { listTenantsOfProducts, type TenantOfProduct } from './group.repository.ts'
import * as repository from './redaction.repository.ts'
import type { RedactionRequest } from './redaction.ts'
import { forgetSavers, listSavedBy } from './retraced/saved-export.repository.ts'
import { streamOf } from './stream.ts'

/** How often the lock is asked for, which is waited for a second each time, and how long others go on in between. */
const patience = { tries: 20, pauseMs: 250 } as const

/** Tenants and streams that one statement looks at. */
const [tenantsAtOnce, streamsAtOnce] = [5_000, 500]

/**
 * Forgets what the log remembers of whom a redaction is about, to fill it into later events: of a person, wherever it is
 * not known to be somebody else's, and that they saved searches; of single events, what they name. Comes before the
 * redaction: what was filled in until then is in the log, for that to find.
 * @param streams of the events
 * @returns of how many something was remembered
 * @throws {RegistryError} `database.busy` when events that came in were in the way all the time
 */
export async function forget(db: Db, request: RedactionRequest, streams: readonly StreamId[]): Promise<number> {
  await forgetWhoSaved(db, request)
  const named = request.event_ids ? await namedBy(db, request, streams) : await personOf(db, request)
  const keys = await findEntities(db, named)
  if (keys.length === 0) return 0
  for (let tries = 1; ; tries += 1) {
    try {
      return await housekeeping(db, async (tx) => {
        await lockEntities(tx)
        return await deleteEntities(tx, keys)
      })
    } catch (error) {
      const isBusy = error instanceof RegistryError && error.code === 'database.busy'
      if (!isBusy || tries === patience.tries) throw error
      await sleep(patience.pauseMs)
    }
  }
}

/** Nobody reads who saved a search, so that its name is of use to nobody but them. */
async function forgetWhoSaved(db: Db, { actor_id, product, stream_id }: RedactionRequest): Promise<void> {
  if (actor_id === undefined) return
  const saved = (await listSavedBy(db, actor_id)).filter(
    (each) =>
      (product === undefined || product === each.product) && (stream_id === undefined || stream_id === streamOf(each)),
  )
  if (saved.length === 0) return
  await housekeeping(db, async (tx) =>
    forgetSavers(
      tx,
      saved.map(({ id }) => id),
    ),
  )
}

/** Whom and what the events name that are to be redacted. */
async function namedBy(db: Db, request: RedactionRequest, streams: readonly StreamId[]): Promise<EntityKey[]> {
  const keys = new Map<string, EntityKey>()
  for (const id of streams) {
    const events = await repository.listRedactable(db, id, request, request.event_ids?.length ?? 0)
    for (const { product, environment, group_id, actor_id, target_id } of events) {
      const scope = streamOf({ tenant_id: null, product, environment, group_id })
      for (const [kind, entity_id] of [
        ['actor', actor_id],
        ['target', target_id],
        ['group', group_id],
      ] as const) {
        if (entity_id !== null) keys.set(`${scope} ${kind} ${entity_id}`, { scope, kind, entity_id })
      }
    }
  }
  return [...keys.values()]
}

async function personOf(db: Db, request: RedactionRequest): Promise<EntityKey[]> {
  const { actor_id, target_id } = request
  const who =
    actor_id === undefined
      ? ({ kind: 'target', entity_id: target_id ?? '' } as const)
      : ({ kind: 'actor', entity_id: actor_id } as const)
  // In a transaction, where it has the time to read all of it.
  const scopes = new Set(await housekeeping(db, async (tx) => await listScopesKnowing(tx, who)))
  for (const scope of await elsewhere(db, request, scopes)) scopes.delete(scope)
  return [...scopes].map((scope) => ({ scope, ...who }))
}

/**
 * Those of these scopes that are another product's, or of another log, than what is asked for. A scope is a digest, so
 * it is known by what has the same one: a tenant, or the stream of a group that is none. What nothing tells of any
 * more belongs to nobody.
 */
async function elsewhere(
  db: Reader,
  { product, stream_id }: RedactionRequest,
  scopes: ReadonlySet<StreamId>,
): Promise<StreamId[]> {
  if (scopes.size === 0) return []
  const own = new Set<StreamId>()
  const others = new Set<StreamId>()
  for await (const tenant of tenantsOfProducts(db)) {
    const isAsked =
      (product === undefined || product === tenant.product) &&
      (stream_id === undefined || stream_id === StreamId.parse(tenant.tenant_id))
    for (const scope of scopesOf(tenant)) if (scopes.has(scope)) (isAsked ? own : others).add(scope)
  }
  for (const asked of chunksOf([...scopes], streamsAtOnce)) {
    for (const stream of await repository.listProductsOfStreams(db, asked)) {
      const isAsked =
        (product === undefined || stream.product === null || product === stream.product) &&
        (stream_id === undefined || stream_id === stream.stream_id)
      if (!isAsked) others.add(stream.stream_id)
    }
  }
  return [...others].filter((scope) => !own.has(scope))
}

async function* tenantsOfProducts(db: Reader): AsyncGenerator<TenantOfProduct> {
  let last: TenantOfProduct | undefined
  do {
    const tenants = await listTenantsOfProducts(db, last, tenantsAtOnce)
    yield* tenants
    last = tenants.length < tenantsAtOnce ? undefined : tenants.at(-1)
  } while (last)
}

function chunksOf<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size))
}

const scopesOf = ({ tenant_id, product, slugs }: TenantOfProduct): StreamId[] =>
  keyEnvironments.flatMap((environment) =>
    [tenant_id, ...slugs].map((group_id) => streamOf({ tenant_id: null, product, environment, group_id })),
  )
