import { createHash } from 'node:crypto'
import type { Client } from 'pg'
import { encodeCursor } from '../../../packages/core/src/page.ts'
import { largeTenant } from './events.ts'

/** A question about the log, and how long its answer may take. */
export interface View {
  readonly title: string
  /** What is asked, in turns: one answer each. */
  readonly paths: readonly string[]
  /** Milliseconds that 99 of 100 answers may take at most, with ten million events. */
  readonly target?: number
  /** Whether it may take with ten million events no more than 1.5 times as long as with one. */
  readonly flat?: true
}

const events = (query: Record<string, string>) => `/v1/audit/events?${new URLSearchParams(query).toString()}`
const one = (title: string, query: Record<string, string>, rest: Omit<View, 'title' | 'paths'> = {}): View => ({
  title,
  paths: [events(query)],
  ...rest,
})

/** How far into a list its deep page is. */
const deep = 0.95

const page = { target: 5, flat: true } as const

/** Everything that is asked. The words are drawn anew for each size, the same every time. */
export async function viewsOf(owner: Client, rows: number): Promise<View[]> {
  const ofTenant = { tenant_id: largeTenant }
  const frequent = await word(owner, 1)
  const after = await cursorAt(owner, ofTenant, Math.floor((rows / 5) * deep))
  return [
    one('a tenant, first page', ofTenant, page),
    one(`a tenant, after ${deep * 100} %`, { ...ofTenant, cursor: after }, page),
    one('a tenant and a product that 1 in 8 are of', { ...ofTenant, product: 'dossier' }, page),
    one('a tenant and a product that none is of', { ...ofTenant, product: 'tenant-registry' }, page),
    one('a tenant and an action', { ...ofTenant, action: 'setting.read' }, page),
    one('a tenant and a beginning that 1 in 3 actions have', { ...ofTenant, action: 'report.*' }, page),
    one('a tenant and a beginning that 1 in 19 have', { ...ofTenant, action: 'setting.*' }, page),
    one('a tenant and a beginning that 1 in 120 have', { ...ofTenant, action: 'setting.re*' }, page),
    one('a tenant and an actor', { ...ofTenant, actor_id: 'person-0-17@example.com' }, page),
    one('a tenant and a target', { ...ofTenant, target_id: 'thing-77' }, page),
    one('a tenant and an external id', { ...ofTenant, external_id: `order-${(rows / 10 - 1) * 10 + 7}` }, page),
    one('a product', { product: 'atlas' }, page),
    one('the whole log', {}, page),
    one('all tenants, a rare actor', { actor_id: 'person-0-4999@example.com' }),
    one('all tenants, a target of 1 in 16 000 events', { target_id: 'thing-50000' }),
    one('all tenants, an action of 1 in 120 events', { action: 'setting.denied' }),
    one('a tenant, with its total', { ...ofTenant, total: 'true' }),
    {
      title: 'a tenant and a word, whichever is said (100 words)',
      paths: (await words(owner, 100)).map((q) => events({ ...ofTenant, q })),
      target: 100,
    },
    { title: 'a tenant and the most frequent word', paths: [events({ ...ofTenant, q: frequent })], target: 100 },
    {
      title: 'a tenant and a rare word (20 words, at most 100 events each)',
      paths: (await rareWords(owner, 20)).map((q) => events({ ...ofTenant, q })),
      target: 10,
    },
    {
      title: 'a tenant and the most frequent word, with the total',
      paths: [events({ ...ofTenant, q: frequent, total: 'true' })],
    },
  ]
}

/** Words as often as they are said: the n-th is said half as often as the n/2-th. */
async function words(owner: Client, count: number): Promise<string[]> {
  const numbers = Array.from({ length: count }, (_, at) => {
    const digest = createHash('sha256').update(`${at}`).digest().readUInt32BE() / 2 ** 32
    return Math.floor(Math.exp(digest * Math.log(50_000)))
  })
  const { rows } = await owner.query<{ word: string }>('select bench_word(n) as word from unnest($1::integer[]) n', [
    numbers,
  ])
  return rows.map(({ word }) => word)
}

/** The place behind so many events of a list, as its readers get it. */
async function cursorAt(owner: Client, filter: { readonly tenant_id: string }, place: number): Promise<string> {
  const { rows } = await owner.query<{ id: string; canonical_at: Date }>(
    `select id, canonical_at from audit_log where stream_id = $1 order by canonical_at desc, id desc offset $2 limit 1`,
    [filter.tenant_id, place],
  )
  const last = rows[0]
  if (!last) throw new Error(`there are no ${place} events`)
  return encodeCursor('audit-events', filter, { key: new Date(last.canonical_at).toISOString(), id: last.id })
}

/** A word by its number: the n-th is said half as often as the n/2-th. */
export async function word(owner: Client, number: number): Promise<string> {
  return (await owner.query<{ word: string }>('select bench_word($1) as word', [number])).rows[0]?.word ?? ''
}

/** Words that some of the tenant's events have, and a hundred at most. */
async function rareWords(owner: Client, count: number): Promise<string[]> {
  const { rows } = await owner.query<{ word: string }>(
    `select word from (
       select bench_word(n) as word from generate_series(20000, 49999, 500) n
     ) words
     where (select count(*) from audit_log where search @@ (quote_literal(word)::tsquery && $1::tsquery)) between 1 and 100
     limit $2`,
    [`'${largeTenant}'`, count],
  )
  if (rows.length === 0) throw new Error('no word is rare')
  return rows.map(({ word }) => word)
}
