import type { EventMap } from './event-map.ts'

/** The columns of the log whose texts an event is found by, in the order in which they stand there. */
export const searchedColumns = [
  'action',
  'product',
  'group_id',
  'group_name',
  'actor_id',
  'actor_name',
  'target_id',
  'target_name',
  'target_type',
  'description',
  'source_ip',
  'component',
  'version',
  'external_id',
] as const
/** Those whose values it is found by as well, behind the others. */
export const searchedMaps = ['actor_fields', 'target_fields', 'fields', 'metadata'] as const

/** The text that the words of an event are taken from: the values of `searchedColumns`, and of `searchedMaps`. */
export function searchText(texts: readonly (string | null)[], maps: readonly (EventMap | undefined)[]): string {
  const words = [
    ...texts.filter((text) => text !== null),
    ...maps.flatMap((map) => map?.map(([, value]) => value) ?? []),
  ]
  return searchable(words.join(' ').slice(0, searchLengthMax).toWellFormed())
}

/** How much of an event can be found by its words, in UTF-16 code units. */
const searchLengthMax = 65_536

/** Signs behind which PostgreSQL's parser looks for an address, a host or a path. */
const signs = /[@_/~]/g
/** What stands together may have so many of them, and so many of the first one. */
const signsMax = 8
const atSignsMax = 2

/** A tag or a comment that does not end is looked through to the end of the text. */
const tagsMax = 16

/** No lexeme is worth finding that is longer. */
const tooLong = /\S{256}(?=\S)/gu

/** What is shorter has few signs. Only from where a run begins: the engine would try it from each of its characters. */
const longRuns = /(?<!\S)\S{17,}/g

/**
 * A text of which PostgreSQL finds the words in a time that grows with its length. Its parser looks ahead from each
 * sign that may belong to an address or a path, as far as nothing separates, and from each tag as far as it has no end:
 * 65 536 characters of `a_a_a_…` take it a minute. So what stands together and has many such signs is parted by them, what
 * is longer than a word is cut, and tags are none where there are many. What is looked for is treated in the same way.
 */
export function searchable(text: string): string {
  const flat = text.split('<').length > tagsMax ? text.replaceAll('<', ' ') : text
  return flat.replaceAll(longRuns, (run) => {
    const parted = hasMany(run) ? run.replaceAll(signs, ' ') : run
    return parted.length > 256 ? parted.replaceAll(tooLong, '$& ') : parted
  })
}

function hasMany(run: string): boolean {
  const found = run.match(signs) ?? []
  return found.length > signsMax || found.filter((sign) => sign === '@').length > atSignsMax
}
