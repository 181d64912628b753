import { type RawBuilder, sql } from 'kysely'

/** What the index finds an event by: the words of its text, and as a whole the id of its stream and its action. */
export const vectorOf = (text: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`to_tsvector('simple', ${text}) || array_to_tsvector(array[stream_id::text, lower(action)])`
