import { type AuditScope, bareId, type KeyIdentity, type Recorded } from '@breakpilot/tenant-core'
import { assertPublisher, type PublisherScope, tokenOf } from './credentials.ts'
import type { GoodEvent } from './event.ts'
import { graphqlOf, graphqlReply } from './graphql-call.ts'
import { readBulk, readSingle } from './publication.ts'
import type { WireCall, WireRoute } from './wire-route.ts'

/**
 * Lets a publisher's key in.
 * @throws {WireError} 401, 403
 */
export async function publisherOf(call: WireCall, scope: PublisherScope): Promise<KeyIdentity> {
  const key = await call.services.prove(tokenOf(call.request), call.request, call.response)
  assertPublisher(key, scope, call.params['project'])
  await call.admit(key.id)
  return key
}

/** What a publisher sees: everything of its product and environment. */
const scopeOf = ({ audience, environment }: KeyIdentity): AuditScope => ({ product: audience, environment })

async function publish({ services }: WireCall, key: KeyIdentity, read: readonly GoodEvent[]) {
  if (read.length === 0) return []
  const { recorded } = await services.ingest.submit({
    principal: key.family_id,
    product: key.audience,
    environment: key.environment,
    events: read.map(({ event }) => event),
    hashedFlags: read.map(({ hashedFlags }) => hashedFlags),
  })
  return recorded.map(receiptOf)
}

const receiptOf = ({ id, hash }: Recorded) => ({ id: bareId(id), hash: hash.toString('hex') })

async function search(call: WireCall, bare: boolean) {
  const key = await publisherOf(call, 'audit:read')
  return graphqlReply(await graphqlOf(call, scopeOf(key)), bare)
}

/** The members of events whose entries have an order, and names of whatever kind. */
const eventMaps: ReadonlySet<string> = new Set(['fields', 'metadata'])

/** Bytes of a body with events: 50 events as large as events may be are more, and no client sends so much. */
const eventsBytesMax = 10 * 1024 * 1024

/** What products ask: to record events, to search them. */
export const publisherRoutes: readonly WireRoute[] = [
  {
    method: 'post',
    path: '/publisher/v1/project/:project/event',
    bodyBytesMax: eventsBytesMax,
    async answer(call) {
      const key = await publisherOf(call, 'audit:publish')
      const [receipt] = await publish(call, key, [readSingle(await call.body(eventMaps))])
      return { status: 201, json: receipt }
    },
  },
  {
    method: 'post',
    path: '/publisher/v1/project/:project/event/bulk',
    bodyBytesMax: eventsBytesMax,
    async answer(call) {
      const key = await publisherOf(call, 'audit:publish')
      return { status: 201, json: await publish(call, key, readBulk(await call.body(eventMaps))) }
    },
  },
  ...(['get', 'post'] as const).flatMap((method): WireRoute[] => [
    {
      method,
      path: '/publisher/v1/project/:project/graphql',
      isGraphql: true,
      answer: async (call) => await search(call, false),
    },
    { method, path: '/publisher/v1/graphql', isGraphql: true, answer: async (call) => await search(call, true) },
  ]),
]
