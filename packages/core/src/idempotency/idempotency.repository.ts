import { sql } from 'kysely'
import { type HousekeepingTx, unwrap } from '../db/handles.ts'

/** How long an answer is kept, and how long the secret in one. */
const kept = { hours: 24, secretMinutes: 15 } as const

/** What is kept of an answer. */
export interface KeptAnswer {
  readonly digest: Buffer
  readonly fingerprint: Buffer
  readonly status: number
  /** Names and values after them. */
  readonly headers: readonly string[]
  readonly body: string | null
  readonly sealed: Buffer | null
  readonly kid: string | null
  readonly resource_id: string | null
}

/** An answer that was found. */
export interface FoundAnswer extends KeptAnswer {
  /** Whether it held a secret that may no longer be told. */
  readonly secretGone: boolean
}

/** Takes the turn for a request until the transaction ends. Answers false when another one has it. */
export async function tryTurn(tx: HousekeepingTx, turn: bigint): Promise<boolean> {
  const { rows } = await sql<{ granted: boolean }>`
    select pg_try_advisory_xact_lock(${turn.toString()}::bigint) as granted`.execute(unwrap(tx))
  return rows[0]?.granted ?? false
}

/** The answer that is kept under one of these digests, if it is not too old. */
export async function findAnswer(tx: HousekeepingTx, digests: readonly Buffer[]): Promise<FoundAnswer | undefined> {
  const row = await tx
    .selectFrom('registry.idempotency')
    .select(['digest', 'fingerprint', 'status', 'headers', 'body', 'sealed', 'kid', 'resource_id'])
    .select(sql<boolean>`kid is not null and (sealed is null or created_at < ${secretsSince})`.as('secretGone'))
    .where('digest', 'in', digests)
    .where('created_at', '>', answersSince)
    .limit(1)
    .executeTakeFirst()
  return row && { ...row, headers: row.headers as string[] }
}

/** Keeps an answer, in the place of one that is too old. */
export async function insertAnswer(tx: HousekeepingTx, answer: KeptAnswer): Promise<void> {
  const values = { ...answer, headers: JSON.stringify(answer.headers) }
  await tx
    .insertInto('registry.idempotency')
    .values(values)
    .onConflict((conflict) => conflict.column('digest').doUpdateSet({ ...values, created_at: sql<Date>`now()` }))
    .execute()
}

/** How many rows one statement erases: it has to end long before it would be cancelled. */
const rowsMax = 1_000

/** Erases secrets that are too old, and answers how many. */
export async function eraseOldSecrets(tx: HousekeepingTx): Promise<number> {
  const { numUpdatedRows } = await tx
    .updateTable('registry.idempotency')
    .set({ sealed: null })
    .where('digest', 'in', (old) =>
      old
        .selectFrom('registry.idempotency')
        .select('digest')
        .where('sealed', 'is not', null)
        .where('created_at', '<', secretsSince)
        .limit(rowsMax),
    )
    .executeTakeFirstOrThrow()
  return Number(numUpdatedRows)
}

/** Deletes answers that are too old, and answers how many. */
export async function deleteOldAnswers(tx: HousekeepingTx): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom('registry.idempotency')
    .where('digest', 'in', (old) =>
      old.selectFrom('registry.idempotency').select('digest').where('created_at', '<', answersSince).limit(rowsMax),
    )
    .executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}

const secretsSince = sql<Date>`now() - make_interval(mins => ${sql.lit(kept.secretMinutes)})`
const answersSince = sql<Date>`now() - make_interval(hours => ${sql.lit(kept.hours)})`
