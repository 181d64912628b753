import type { Actor } from '../audit/actor.ts'
import type { Db } from '../db/handles.ts'
import { everything } from '../sight.ts'
import { revokeApiKey } from './api-key.service.ts'
import { ApiKeyRevocation } from './api-key.ts'
import type { ApiKeyVerifier } from './verifier.ts'

/**
 * Ends the key that somebody holds: who can show it may. Says nothing about it, and does nothing when it is no key or
 * has ended already. The log names the key itself as who did it, and where from.
 * @throws {RegistryError} `api_key.lane_full`, `database.unavailable`, `database.busy`
 */
export async function revokeLeakedApiKey(
  db: Db,
  caller: Actor,
  verifier: ApiKeyVerifier,
  key: string,
  signal?: AbortSignal,
): Promise<void> {
  const proven = await verifier.prove(key, { caller: caller.source_ip ?? '', left: signal && (() => signal) })
  if (!proven) return
  const holder: Actor = { ...caller, id: proven.id, name: proven.name, role: 'key-holder', sight: everything }
  await revokeApiKey(db, holder, proven.tenant_id, proven.id, ApiKeyRevocation.parse({ reason: 'compromised' }))
  await verifier.settle()
}
