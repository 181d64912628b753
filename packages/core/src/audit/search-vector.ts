import { type RawBuilder, sql } from 'kysely'

/**
 * What the index finds an event by: the words of its text, and as a whole the id of its stream and its action. That is in
 * small letters by the rules of the database, as it was written: the column's own order would leave all but A to Z.
 */
export const vectorOf = (text: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`to_tsvector('simple', ${text}) || array_to_tsvector(array[stream_id::text, lower(action collate "default")])`
