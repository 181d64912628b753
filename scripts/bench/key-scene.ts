import { readFileSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import {
  createDb,
  KeyIssuer,
  type MintedKey,
  mintToken,
  newApiKeyId,
  newKeyringText,
  parseKeyring,
} from '@breakpilot/tenant-core'
import { toBase62 } from '../../packages/core/src/api-keys/base62.ts'
import { acmeId } from './acme.ts'
import type { Generator, ServerUnderLoad } from './children.ts'
import type { BenchDatabase } from './database.ts'
import type { Effort } from './measure.ts'
import type { Servers } from './servers.ts'

/** What everything about API keys is measured with. */
export interface KeyScene extends Servers {
  readonly database: BenchDatabase
  readonly generator: Generator
  readonly effort: Effort
  readonly signal: AbortSignal
}

export const verifyPath = '/v1/api-keys/verify'
export const batchPath = '/v1/api-keys/verify-batch'

const scopes = ['certifai:read']
/** How many hash at the same time: an issuer makes one key after the other. */
const issuers = 4
const rowsMax = 500

/** Makes keys of acme for certifai, as dear as all others, without a word about it to anybody. */
export async function freshKeys({ database, keyringFile, signal }: KeyScene, number: number): Promise<string[]> {
  const keyring = parseKeyring(readFileSync(keyringFile, 'utf8'))
  const minted: MintedKey[] = []
  let begun = 0
  const mint = async () => {
    const issuer = new KeyIssuer(keyring)
    while (begun < number) {
      signal.throwIfAborted()
      begun += 1
      minted.push(await issuer.mint('live'))
    }
  }
  await Promise.all(Array.from({ length: issuers }, mint))
  const rows = minted.map(({ prefix, environment, hash, kid }) => {
    const id = newApiKeyId()
    const ofAcme = { id, family_id: id, tenant_id: acmeId, name: 'Bench', audience: 'certifai', scopes }
    return { ...ofAcme, prefix, environment, hash, issuer_kid: kid }
  })
  const db = createDb({ connectionString: database.url, poolSize: 1 })
  try {
    for (let at = 0; at < rows.length; at += rowsMax) {
      await db
        .insertInto('api_keys')
        .values(rows.slice(at, at + rowsMax))
        .execute()
    }
  } finally {
    await db.destroy()
  }
  return minted.map(({ text }) => text)
}

/** Tokens whose shape and CRC are right and whose MAC is not: every other one with the public part of a real key. */
export function forgedTokens(known: string, number: number): string[] {
  const stranger = parseKeyring(newKeyringText('stranger'))
  return Array.from({ length: number }, (_, at) => {
    const { text } = mintToken(stranger, 'live')
    if (at % 2) return text
    const marked = known.slice(0, 21) + text.slice(21, 73)
    return marked + toBase62(crc32(marked), 6)
  })
}

/** Issues a key of acme for certifai, as operators do. */
export async function issueKey(server: ServerUnderLoad): Promise<{ readonly id: string; readonly key: string }> {
  return await post(server, `/v1/tenants/${acmeId}/api-keys`, server.token, { name: 'Bench', scopes })
}

/** Sends a request and reads its answer. */
export async function post<Answer>(
  { port }: ServerUnderLoad,
  path: string,
  token: string | undefined,
  body: object,
): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${path} is answered ${response.status}: ${await response.text()}`)
  return (await response.json()) as Answer
}

/** The body of a question about one key, and of one about many. */
export const bodyOf = (key: string) => JSON.stringify({ key, scopes })
export const batchOf = (keys: readonly string[]) => JSON.stringify({ items: keys.map((key) => ({ key, scopes })) })
