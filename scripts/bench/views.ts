import type { Tokens } from './servers.ts'

/** A list of tenants, and the same list in SQL. */
export interface View {
  readonly title: string
  /** Whose token is sent. */
  readonly as: keyof Tokens
  readonly query: string
  readonly where: string
  /** What it is sorted by, in SQL and as it stands in a row. */
  readonly sort: { readonly key: string; readonly direction: 'asc' | 'desc'; readonly of: (row: Row) => string }
}

/** What of an answered row says where it stands. */
export interface Row {
  readonly id: string
  readonly name: string
  readonly created_at: string
}

const byTime = { key: 'created_at', direction: 'desc', of: ({ created_at }: Row) => created_at } as const
const byName = { key: 'lower(name) collate "C"', direction: 'asc', of: ({ name }: Row) => name.toLowerCase() } as const
const has = (product: string) =>
  `exists (select from tenant_products p where p.tenant_id = tenants.id and p.product = '${product}')`

export const views: readonly View[] = [
  { title: 'newest first', as: 'operator', query: '', where: 'true', sort: byTime },
  { title: '`sort=name`', as: 'operator', query: '&sort=name', where: 'true', sort: byName },
  {
    title: '`q=north`, which 1 in 20 answers',
    as: 'operator',
    query: '&q=north',
    where: `(slug collate "C" >= 'north' and slug collate "C" < 'north\u{10ffff}'
      or name_words @@ registry.name_query('north'))`,
    sort: byTime,
  },
  {
    title: '`product=atlas`, which 1 in 20 has',
    as: 'operator',
    query: '&product=atlas',
    where: has('atlas'),
    sort: byTime,
  },
  { title: 'as a product that 1 in 2 has', as: 'certifai', query: '', where: has('certifai'), sort: byTime },
  { title: 'as a product that 1 in 1000 has', as: 'dossier', query: '', where: has('dossier'), sort: byTime },
]

/** The most that the slowest of a hundred requests may take, and a page deep in a list as a multiple of the first. */
export const pageTargets = { p99Milliseconds: 15, depth: 1.2 } as const
