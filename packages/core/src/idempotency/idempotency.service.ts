import { createHash } from 'node:crypto'
import { oneTransaction } from '../audit/one-transaction.ts'
import type { Db } from '../db/handles.ts'
import { housekeeping } from '../db/housekeeping.ts'
import { RegistryError } from '../errors.ts'
import type { Keyring } from '../secrets/keyring.ts'
import * as answers from './idempotency.repository.ts'

/** A request that is to be carried out once, however often it is sent. */
export interface OnceRequest {
  readonly principal: string
  readonly method: string
  readonly path: string
  /** The caller's `Idempotency-Key`. It is not kept. */
  readonly key: string
  /** What else makes it this request and not another: query and body, in one spelling. */
  readonly content: string
}

/** What was answered. */
export interface OnceAnswer {
  readonly status: number
  /** Names and values after them. */
  readonly headers: readonly string[]
  readonly body: string | null
  /** The id of what was made, when the body holds a secret: the body is sealed, and the secret goes after 15 minutes. */
  readonly secretOf?: string | undefined
}

/**
 * Carries a request out, or answers what was answered when it was carried out before. The record of the answer is
 * written with what it answers: both are there or neither is. A request that fails leaves nothing, and can be sent
 * again.
 * @throws {RegistryError} `idempotency.in_flight` while the same request is being carried out, `idempotency.key_reused`
 *   for another request with this key, `idempotency.secret_gone` with the id of what was made, and what `run` throws
 */
export async function once(
  db: Db,
  keyring: Keyring,
  request: OnceRequest,
  run: (unit: Db) => Promise<OnceAnswer>,
): Promise<OnceAnswer & { readonly replayed: boolean }> {
  const name = spell([request.principal, request.method, request.path, request.key])
  const fingerprint = sha256(Buffer.from(request.content))
  // Under every key of the ring: a rotation must not make a request new.
  const digests = keyring.kids.map((kid) => keyring.mac('idempotency', name, kid))
  const digest = keyring.mac('idempotency', name)
  return await oneTransaction(db, async (unit) => {
    const earlier = await housekeeping(unit, async (tx) => {
      // The turn does not depend on the ring: replicas whose rings differ for a while wait for each other too.
      if (!(await answers.tryTurn(tx, sha256(name).readBigInt64BE()))) throw inFlight()
      // A statement of its own: it has to see what was committed until the turn was ours.
      return await answers.findAnswer(tx, digests)
    })
    if (earlier) return replay(keyring, request, fingerprint, earlier)
    const answer = await run(unit)
    const record = { digest, fingerprint, ...keep(keyring, request, digest, answer) }
    await housekeeping(unit, async (tx) => await answers.insertAnswer(tx, record))
    return { ...answer, replayed: false }
  })
}

/** How many answers and secrets were erased. */
export interface Cleaned {
  readonly answers: number
  readonly secrets: number
}

/** Erases the secrets and the answers that are too old, a thousand at a time. To be done every few minutes. */
export async function cleanIdempotency(db: Db): Promise<Cleaned> {
  const secrets = await untilNone(async () => await housekeeping(db, answers.eraseOldSecrets))
  return { secrets, answers: await untilNone(async () => await housekeeping(db, answers.deleteOldAnswers)) }
}

async function untilNone(erase: () => Promise<number>): Promise<number> {
  let sum = 0
  for (let erased = await erase(); erased > 0; erased = await erase()) sum += erased
  return sum
}

function keep(keyring: Keyring, request: OnceRequest, digest: Buffer, answer: OnceAnswer) {
  const { status, headers, body, secretOf } = answer
  if (secretOf === undefined) return { status, headers, body, sealed: null, kid: null, resource_id: null }
  const { kid, bytes } = keyring.seal('idempotency', Buffer.from(body ?? ''), sealing(request, digest))
  return { status, headers, body: null, sealed: bytes, kid, resource_id: secretOf }
}

function replay(keyring: Keyring, request: OnceRequest, fingerprint: Buffer, earlier: answers.FoundAnswer) {
  if (!earlier.fingerprint.equals(fingerprint)) {
    throw new RegistryError('idempotency.key_reused', { detail: 'Another request came with this key. Use a new one.' })
  }
  const { digest, status, headers, sealed, kid, resource_id } = earlier
  if (kid === null) return { status, headers, body: earlier.body, replayed: true }
  if (earlier.secretGone || sealed === null) {
    throw new RegistryError('idempotency.secret_gone', {
      detail: 'What was made is there; its secret was shown once and is not kept. Rotate it to get another.',
      ...(resource_id !== null && { facts: { id: resource_id } }),
    })
  }
  const body = keyring.open('idempotency', { kid, bytes: sealed }, sealing(request, digest)).toString()
  return { status, headers, body, ...(resource_id !== null && { secretOf: resource_id }), replayed: true }
}

/** The caller's key is not kept, so whoever has the database and the keyring still lacks it. */
const sealing = ({ key }: OnceRequest, digest: Buffer) => ({ salt: key, context: digest.toString('hex') })

const inFlight = () =>
  new RegistryError('idempotency.in_flight', {
    detail: 'The same request is being carried out. Ask again in a moment for its answer.',
    retryAfterSeconds: 1,
  })

const sha256 = (data: Buffer) => createHash('sha256').update(data).digest()

/** Several texts as one that no other texts have: each after its length. */
const spell = (texts: readonly string[]) =>
  Buffer.concat(
    texts.flatMap((text) => {
      const bytes = Buffer.from(text)
      const length = Buffer.alloc(4)
      length.writeUInt32BE(bytes.length)
      return [length, bytes]
    }),
  )
