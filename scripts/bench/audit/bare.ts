import { Client } from 'pg'
import type { AuditDatabase } from './database.ts'

/** What is taken of the log to be put in again. */
const copied = 5_000
/** Rows of one statement, as in the bulk that is published. */
const rowsOfStatement = 50

/**
 * How many rows a second PostgreSQL takes alone: copies of what is in the log, words and hashes and all, fifty in a
 * transaction, with all indexes, the partitions and the foreign key.
 */
export async function measureBareInserts(
  database: AuditDatabase,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
  signal: AbortSignal,
): Promise<number[]> {
  const owner = new Client({ connectionString: database.url })
  await owner.connect()
  try {
    const { rows: columns } = await owner.query<{ name: string }>(
      `select attname as name from pg_attribute
       where attrelid = 'public.audit_log'::regclass and attnum > 0 and not attisdropped order by attnum`,
    )
    const names = columns.map(({ name }) => name).join(', ')
    const values = columns
      .map(({ name }) => (name === 'id' ? 'gen_random_uuid()' : name === 'received_at' ? 'clock_timestamp()' : name))
      .join(', ')
    await owner.query(
      `create temp table copied as select row_number() over () as number, * from (select * from audit_log limit ${copied}) some_events;
       create unique index on copied (number)`,
    )
    const insert = {
      name: 'insert',
      text: `insert into audit_log (${names}) select ${values} from copied where number > $1 and number <= $1 + ${rowsOfStatement}`,
    }
    const rates: number[] = []
    for (let round = 0; round <= rounds; round += 1) {
      const startedAt = performance.now()
      let statements = 0
      for (; performance.now() - startedAt < seconds * 1_000; statements += 1) {
        signal.throwIfAborted()
        await owner.query({ ...insert, values: [(statements * rowsOfStatement) % copied] })
      }
      if (round > 0) rates.push((statements * rowsOfStatement * 1_000) / (performance.now() - startedAt))
    }
    return rates
  } finally {
    await owner.end()
  }
}
