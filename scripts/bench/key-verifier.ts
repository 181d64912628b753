import { createHmac, hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  ApiKeyRevocation,
  ApiKeyVerifier,
  ChangeListener,
  createDb,
  issueApiKey,
  KeyIssuer,
  loadCatalogue,
  mintToken,
  NewApiKey,
  newKeyringText,
  parseKeyring,
  revokeApiKey,
  scriptActor,
} from '@breakpilot/tenant-core'
import { acmeId, manifestFolder } from './acme.ts'
import { bareArgon2 } from './bare-argon2.ts'
import { median } from './measure.ts'

/**
 * What it takes to verify a key inside of a process: proven before, for the first time, and forged. Beside it the least
 * that anybody could do: the same primitives without anything that they are for.
 */

/** What came of it. */
export interface VerifierRates {
  /** By what was done: how many in a second of processor time, one number for each round. */
  readonly rates: Readonly<Record<'bare loop' | 'warm' | 'forged', readonly number[]>>
  /** The 99th percentile of a warm verification, in microseconds, one number for each round. */
  readonly p99: readonly number[]
  /** Milliseconds of a first verification and of argon2 alone, one number for each round. */
  readonly cold: readonly number[]
  readonly argon2: readonly number[]
  /** How often argon2 was begun, and how many reads there were, while a crowd asked for a hot key until its state had aged. */
  readonly expiry: { readonly argon2: number; readonly reads: number }
  /** How often argon2 was begun for a hundred first uses of one key at once. */
  readonly together: number
  /** For how many seconds a key that had been revoked was good to a verifier that is told of nothing and does not know it. */
  readonly deafSeconds: number
}

const roundMs = 500
const coldMax = 40
/** How many ask at once where many do. */
const crowd = 100
/** How long state lives while changes are heard. */
const stateMs = 30_000
const asking = { asker: { kind: 'product', product: 'certifai' }, caller: 'bench' } as const

/** Hears nothing, and says all the while that it hears everything: whatever happens cannot be worse. */
class DeafListener extends ChangeListener {
  override get isListening(): boolean {
    return true
  }
  override get heardAt(): number {
    return performance.now()
  }
  override subscribe(): () => void {
    return () => undefined
  }
}

async function measureVerifier(url: string, rounds: number): Promise<VerifierRates> {
  const db = createDb({ connectionString: url, poolSize: 2 })
  const keyring = parseKeyring(newKeyringText(`in-process-${process.pid}`))
  const catalogue = await loadCatalogue(manifestFolder)
  const issuer = new KeyIssuer(keyring)
  const onFailure = (error: Error) => console.error(`bench: ${error.message}`)
  const changes = new ChangeListener({ db, connectionString: url, onFailure })
  const deaf = new DeafListener({ db, connectionString: url, onFailure })
  const verifiers: ApiKeyVerifier[] = []
  const aVerifier = (listener = changes) => {
    const verifier = new ApiKeyVerifier({ db, catalogue, keyring, changes: listener, onFailure })
    verifier.start()
    verifiers.push(verifier)
    return verifier
  }
  const actor = scriptActor('bench')
  const issue = async () => {
    const input = NewApiKey.parse({ name: 'Bench', scopes: ['certifai:read'] })
    const minted = await issuer.mint('live')
    return await issueApiKey(db, actor, catalogue, issuer, minted, acmeId, input)
  }
  try {
    const keys = []
    for (let made = 0; made < coldMax; made += 1) keys.push((await issue()).key)
    const [key = ''] = keys
    const forged = mintToken(parseKeyring(newKeyringText('another')), 'live').text
    const verifier = aVerifier()
    changes.start()
    while (!Number.isFinite(changes.heardAt)) await sleep(10)
    const warm = () => verifier.verify({ key, scopes: ['certifai:read'] }, asking)
    const ask = async (whom: ApiKeyVerifier) => {
      const answers = await Promise.all(Array.from({ length: crowd }, async () => await whom.verify({ key }, asking)))
      if (answers.some(({ valid }) => !valid)) throw new Error('a key is not valid')
      return whom.counts
    }
    if (!(await warm()).valid || warm() instanceof Promise) throw new Error('the key is not warm')
    const bare = bareLoop(key)
    const contenders = {
      'bare loop': () => bare(),
      warm: () => warm(),
      forged: () => verifier.verify({ key: forged }, asking),
    }
    const rates = { 'bare loop': [] as number[], warm: [] as number[], forged: [] as number[] }
    const found = { p99: [] as number[], cold: [] as number[], argon2: [] as number[] }
    for (let round = 0; round <= rounds; round += 1) {
      for (const [name, make] of Object.entries(contenders)) {
        const rate = await perSecond(make)
        if (round > 0) rates[name as keyof typeof rates].push(rate)
      }
      const p99 = await slowest(warm)
      const { cold, argon2 } = await coldMs(aVerifier(), keys)
      if (round === 0) continue
      found.p99.push(p99)
      found.cold.push(cold)
      found.argon2.push(argon2)
    }
    const fresh = aVerifier()
    const { argon2: together } = await ask(fresh)
    const untold = aVerifier(deaf)
    const doomed = await issue()
    const isRefused = async () => !(await untold.verify({ key: doomed.key }, asking)).valid
    if (await isRefused()) throw new Error('a key is not valid')
    await revokeApiKey(db, actor, acmeId, doomed.id, ApiKeyRevocation.parse({ reason: 'compromised' }))
    const revokedAt = performance.now()
    // The other one was told, and has read again what it forgot.
    await fresh.settle()
    await ask(fresh)
    const readAt = performance.now()
    const before = fresh.counts
    await sleep(stateMs - 1_000)
    await ask(fresh)
    let deafSeconds = 0
    for (;;) {
      const seconds = (performance.now() - revokedAt) / 1000
      if (await isRefused()) break
      deafSeconds = seconds
      await sleep(5)
    }
    await sleep(Math.max(0, readAt + stateMs + 100 - performance.now()))
    await ask(fresh)
    const expiry = { argon2: fresh.counts.argon2 - before.argon2, reads: fresh.counts.reads - before.reads }
    return { rates, ...found, expiry, together, deafSeconds }
  } finally {
    for (const verifier of verifiers) await verifier.close()
    await changes.close()
    await deaf.close()
    await db.destroy()
  }
}

/** The primitives, one after the other. */
function bareLoop(key: string): () => boolean {
  const secret = parseKeyring(newKeyringText()).key('api-key-mac')
  const salt = randomBytes(12).toString('base64')
  const known = new Map([[key.slice(0, 21), hash('sha256', salt + key, 'buffer')]])
  const mac = createHmac('sha256', secret).update(key.slice(0, 65)).digest()
  return () => {
    const isOurs = timingSafeEqual(createHmac('sha256', secret).update(key.slice(0, 65)).digest(), mac)
    const digest = known.get(key.slice(0, 21))
    return isOurs && digest !== undefined && timingSafeEqual(digest, hash('sha256', salt + key, 'buffer'))
  }
}

/** How many in a second of processor time, which does not count what the machine does meanwhile. */
async function perSecond(make: () => unknown): Promise<number> {
  const before = process.cpuUsage()
  for (let made = 1000; ; made += 1000) {
    for (let n = 0; n < 1000; n += 1) {
      const result = make()
      if (result instanceof Promise) await result
    }
    const { user, system } = process.cpuUsage(before)
    const usedMs = (user + system) / 1000
    // Lets what is heard of the database in.
    if (made % 50_000 === 0) await new Promise(setImmediate)
    if (usedMs >= roundMs) return (made / usedMs) * 1000
  }
}

/** What 99 of 100 calls are not longer than, in microseconds. */
async function slowest(make: () => unknown): Promise<number> {
  const times = new Float64Array(50_000)
  for (let at = 0; at < times.length; at += 1) {
    const from = performance.now()
    const result = make()
    if (result instanceof Promise) await result
    times[at] = (performance.now() - from) * 1000
  }
  return times.toSorted()[Math.ceil(times.length * 0.99) - 1] ?? Number.NaN
}

/** Milliseconds of a first verification and of argon2 alone, in turns. */
async function coldMs(verifier: ApiKeyVerifier, keys: readonly string[]) {
  let [cold, argon2] = [0, 0]
  for (const key of keys) {
    const from = performance.now()
    if (!(await verifier.verify({ key }, asking)).valid) throw new Error('a key is not valid')
    const between = performance.now()
    await bareArgon2()
    cold += between - from
    argon2 += performance.now() - between
  }
  return { cold: cold / keys.length, argon2: argon2 / keys.length }
}

if (process.send) {
  process.on('message', ({ url, rounds }: { readonly url: string; readonly rounds: number }) => {
    measureVerifier(url, rounds).then(
      (found) => process.send?.(found),
      (error: unknown) => {
        console.error(`bench: ${String(error)}`)
        process.exit(1)
      },
    )
  })
  process.on('disconnect', () => process.exit())
} else {
  const { rates, p99, cold, argon2, ...rest } = await measureVerifier(process.argv[2] ?? '', 3)
  for (const [name, of] of Object.entries(rates))
    console.log(name.padEnd(12), Math.round(median(of)).toLocaleString('en'))
  console.log({ p99: median(p99), cold: median(cold), argon2: median(argon2), ...rest })
}
