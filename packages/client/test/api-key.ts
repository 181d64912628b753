import type { ServerResponse } from 'node:http'
import type { VerifiedKey } from '../src/index.ts'
import { checksumOf } from '../src/key-verifier/key-shape.ts'
import { json } from './scripted-peer.ts'

/** A key as the registry would make it, as far as can be told without asking it. */
export function aKey(letter = 'a', environment: 'live' | 'test' = 'live'): string {
  const marked = `bpk_${environment}_${letter.repeat(12)}_${letter.repeat(51)}`
  return marked + checksumOf(marked)
}

/** What the registry says of a key that is good. */
export function verified(fields: Partial<VerifiedKey> = {}): VerifiedKey {
  return {
    valid: true,
    code: 'VALID',
    api_key_id: '0190f1c2-8a6b-7c3d-9e4f-5a6b7c8d9e10',
    tenant_id: '00000000-0000-7000-8000-000000000001',
    project_id: null,
    environment: 'live',
    scopes: ['reports:read'],
    expires_at: null,
    tenant_status: null,
    max_age: 5,
    ...fields,
  }
}

/** What it says of a key that is not; without proof, nothing else. */
export function refused(code: VerifiedKey['code'], fields: Partial<VerifiedKey> = {}): VerifiedKey {
  const unknown = { api_key_id: null, tenant_id: null, environment: null, scopes: [] }
  return verified({ valid: false, code, ...(code === 'NOT_FOUND' && unknown), ...fields })
}

/** Answers with what is said of a key. */
export const says = (answer: VerifiedKey): ((response: ServerResponse) => void) => json(answer)
