import { platformTenant } from '../../../packages/core/src/id.ts'
import type { Generator, ServerUnderLoad } from '../children.ts'
import { tenantId } from './events.ts'

/** What is published, and how much of it should go through. */
export interface IngestLoad {
  readonly title: string
  readonly connections: number
  /** Of each request. */
  readonly events: number
  /** In how many logs. */
  readonly streams: number
  /** Events in a second, at least. */
  readonly target?: number
  /** As a share of what bare Express takes in of it, at least. */
  readonly share?: number
  /** Milliseconds that 99 of 100 answers may take. */
  readonly p99?: number
}

/** Single events in a second that bare Express took in where the target of 4 000 was set: the log's specification names both. */
const expressThere = 9_200

const ingestLoads: readonly IngestLoad[] = [
  {
    title: 'in bulk, 50 at a time, 100 logs, over 32 connections',
    connections: 32,
    events: 50,
    streams: 100,
    target: 10_000,
  },
  { title: 'the same, over 8', connections: 8, events: 50, streams: 100 },
  {
    title: 'one at a time, 200 logs',
    connections: 64,
    events: 1,
    streams: 200,
    target: 4_000,
    share: 4_000 / expressThere,
    p99: 30,
  },
  { title: 'one at a time, one log', connections: 32, events: 1, streams: 1, target: 1_000, p99: 50 },
]

/** What came of it. */
export interface IngestTimes {
  readonly load: IngestLoad
  /** Events in a second, round by round. */
  readonly rates: readonly number[]
  /** Milliseconds, round by round. */
  readonly rounds: readonly (readonly number[])[]
}

/** The same loads, of a server that does nothing but store what it is sent. */
export async function measureBareExpress(
  bare: ServerUnderLoad,
  generator: Generator,
  effort: { readonly rounds: number; readonly seconds: number },
  signal: AbortSignal,
): Promise<IngestTimes[]> {
  return await publish(bare, 'none', generator, effort, signal)
}

/** Publishes over HTTP, as a product does: acknowledged is what is on disk, in its chain, in every index. */
export async function measureIngest(
  registry: ServerUnderLoad,
  generator: Generator,
  effort: { readonly rounds: number; readonly seconds: number },
  signal: AbortSignal,
): Promise<IngestTimes[]> {
  return await publish(registry, await publishingKey(registry), generator, effort, signal)
}

async function publish(
  { port }: ServerUnderLoad,
  token: string,
  generator: Generator,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
  signal: AbortSignal,
): Promise<IngestTimes[]> {
  const times: IngestTimes[] = []
  for (const load of ingestLoads) {
    const order = {
      method: 'POST',
      path: '/v1/audit/events',
      status: 201,
      slugPrefix: '',
      token,
      body: bodiesOf(load),
    } as const
    const rates: number[] = []
    const milliseconds: (readonly number[])[] = []
    // The first round is for warming up.
    for (let round = 0; round <= rounds; round += 1) {
      signal.throwIfAborted()
      const outcome = await generator.run({ ...order, port, connections: load.connections, seconds })
      if (round === 0) continue
      rates.push((outcome.requests * load.events) / outcome.seconds)
      milliseconds.push(outcome.milliseconds)
    }
    times.push({ load, rates, rounds: milliseconds })
  }
  return times
}

async function publishingKey({ port, token }: ServerUnderLoad): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/v1/tenants/${platformTenant}/api-keys`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({
      name: 'bench',
      product: 'certifai',
      scopes: ['audit:publish'],
      expires_at: new Date(Date.now() + 86_400_000).toISOString(),
    }),
  })
  if (!answer.ok) throw new Error(`no key to publish with: ${answer.status} ${await answer.text()}`)
  return ((await answer.json()) as { key: string }).key
}

/** Bodies that are sent in turns. Those of one request are of several logs, as with a product that collects them. */
function bodiesOf({ events, streams }: IngestLoad): string[] {
  const bodies = Math.max(1, streams, 100)
  return Array.from({ length: bodies }, (_, body) => {
    const one = (at: number) => {
      const number = body * events + at
      return {
        action: ['report.read', 'document.updated', 'user.created'][number % 3],
        crud: ['r', 'u', 'c'][number % 3],
        group: { id: tenantId(1 + (number % streams)) },
        actor: { id: `person-${number % 977}@example.com`, name: `Person ${number % 977}` },
        target: { id: `thing-${number % 4_999}`, name: `Thing ${number % 4_999}`, type: 'report' },
        source_ip: `10.0.${number % 200}.1`,
        description: `Person ${number % 977} has looked at thing ${number % 4_999} for the quarterly review`,
        fields: { quality: 'good', record_id: `record-${number}` },
        metadata: { request_id: `bench-${number.toString(36).padStart(10, '0')}` },
      }
    }
    return JSON.stringify({ events: Array.from({ length: events }, (_, at) => one(at)) })
  })
}
