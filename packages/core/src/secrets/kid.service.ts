import type { Reader } from '../db/handles.ts'
import type { Keyring } from './keyring.ts'
import { countByKid, listKids } from './kid.repository.ts'

/** A key of the ring that this server would need and does not have, or has another one of that name. */
export interface KidProblem {
  readonly kid: string
  readonly problem: 'missing' | 'different'
}

/**
 * What of a keyring does not fit what was made with it: with a key that is missing, or is another one, API keys that are
 * good would be answered as if nobody had them.
 */
export async function keyringProblems(db: Reader, keyring: Keyring): Promise<KidProblem[]> {
  const ring = new Set(keyring.kids)
  const known = await listKids(db, keyring.kids)
  return known.flatMap(({ kid, check_value, missed }): KidProblem[] => {
    if (!ring.has(kid)) return missed ? [{ kid, problem: 'missing' }] : []
    return keyring.checkValue(kid) === check_value ? [] : [{ kid, problem: 'different' }]
  })
}

/** What is known of a key of the ring, for those who look after it. */
export interface KidStatus {
  readonly kid: string
  readonly current: boolean
  /** `unused` when nothing was ever made with it that lasts. */
  readonly state: 'ok' | 'different' | 'missing' | 'unused'
  /** How many API keys that can still be used were issued under it. */
  readonly api_keys: number
  /** How many kept answers hold a secret that is sealed under it; they go after 15 minutes. */
  readonly answers: number
}

/** What depends on each key of a ring, and on those that it does not have. */
export async function kidStatuses(db: Reader, keyring: Keyring): Promise<KidStatus[]> {
  const counted = new Map((await countByKid(db)).map((each) => [each.kid, each]))
  const checks = new Map((await listKids(db, keyring.kids)).map(({ kid, check_value }) => [kid, check_value]))
  const ring = new Set(keyring.kids)
  return [...new Set([...keyring.kids, ...counted.keys()])].map((kid) => {
    const { api_keys = 0, answers = 0 } = counted.get(kid) ?? {}
    const state = ring.has(kid) ? fit(keyring.checkValue(kid), checks.get(kid)) : 'missing'
    return { kid, current: kid === keyring.current, state, api_keys, answers }
  })
}

function fit(own: string, known: string | undefined): Exclude<KidStatus['state'], 'missing'> {
  if (known === undefined) return 'unused'
  return own === known ? 'ok' : 'different'
}
