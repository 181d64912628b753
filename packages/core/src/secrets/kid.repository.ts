import { sql } from 'kysely'
import { probeName } from '../api-keys/revocation-probe.repository.ts'
import type { HousekeepingTx, Reader } from '../db/handles.ts'
import { platformTenant } from '../id.ts'

/** Writes down under which key of the ring something is made. Answers the check value that is known for it. */
export async function rememberKid(
  tx: Pick<HousekeepingTx, 'insertInto' | 'selectFrom'>,
  kid: string,
  checkValue: string,
): Promise<string> {
  await tx
    .insertInto('registry.secret_kids')
    .values({ kid, check_value: checkValue })
    .onConflict((conflict) => conflict.column('kid').doNothing())
    .execute()
  const { check_value } = await tx
    .selectFrom('registry.secret_kids')
    .select('check_value')
    .where('kid', '=', kid)
    .executeTakeFirstOrThrow()
  return check_value
}

/** Not the key of the probe: it makes itself another one under whatever key of the ring is current. */
const stillUsable = sql`revoked_at is null and (expires_at is null or expires_at > now())
  and (keys_valid_after is null or api_keys.created_at > keys_valid_after)
  and (api_keys.tenant_id, api_keys.created_by) is distinct from (${platformTenant}::uuid, ${probeName}::text)`

/**
 * Every key of a ring that anything was made with, and whether an API key that can still be used was made with one that
 * is not in the ring. Of those in the ring that is not asked: they may have millions, and this is asked all the time.
 */
export async function listKids(db: Reader, ring: readonly string[]) {
  return await db
    .selectFrom('registry.secret_kids as known')
    .select(['known.kid', 'known.check_value'])
    .select(
      sql<boolean>`case when known.kid = any(${ring}::text[]) then false else exists (
        select from api_keys join tenants on tenants.id = api_keys.tenant_id
        where issuer_kid = known.kid and ${stillUsable}
      ) end`.as('missed'),
    )
    .orderBy('known.kid')
    .execute()
}

/** How much there is that depends on each key of a ring. */
export async function countByKid(db: Reader): Promise<{ kid: string; api_keys: number; answers: number }[]> {
  return await db
    .selectFrom(
      sql<{ kid: string; api_keys: number; answers: number }>`(
        select kid, sum(api_keys)::integer as api_keys, sum(answers)::integer as answers
        from (
          select issuer_kid as kid, count(*) as api_keys, 0 as answers
          from api_keys join tenants on tenants.id = api_keys.tenant_id
          where issuer_kid is not null and ${stillUsable} group by 1
          union all
          select kid, 0, count(*) from registry.idempotency where sealed is not null group by 1
          union all
          select kid, 0, 0 from registry.secret_kids
        ) as each group by kid
      )`.as('counted'),
    )
    .select(['kid', 'api_keys', 'answers'])
    .orderBy('kid')
    .execute()
}
