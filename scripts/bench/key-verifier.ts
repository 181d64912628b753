import { createHmac, hash, randomBytes, timingSafeEqual } from 'node:crypto'
import {
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
  scriptActor,
} from '@breakpilot/tenant-core'
import { acmeId, manifestFolder } from './acme.ts'
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
  /** How often argon2 was asked, and how many reads there were, when the state of a hot key was no longer relied on. */
  readonly expiry: { readonly argon2: number; readonly reads: number }
  /** How often argon2 was asked for a hundred first uses of one key at once. */
  readonly together: number
}

const roundMs = 500
const coldMax = 40
const asking = { asker: { kind: 'product', product: 'certifai' }, caller: 'bench' } as const

async function measureVerifier(url: string, rounds: number): Promise<VerifierRates> {
  const db = createDb({ connectionString: url, poolSize: 2 })
  const keyring = parseKeyring(newKeyringText(`in-process-${process.pid}`))
  const catalogue = await loadCatalogue(manifestFolder)
  const issuer = new KeyIssuer(keyring)
  const onFailure = (error: Error) => console.error(`bench: ${error.message}`)
  const changes = new ChangeListener({ db, connectionString: url, onFailure })
  const verifiers: ApiKeyVerifier[] = []
  const aVerifier = () => {
    const verifier = new ApiKeyVerifier({ db, catalogue, keyring, changes, onFailure })
    verifier.start()
    verifiers.push(verifier)
    return verifier
  }
  const issue = async () => {
    const input = NewApiKey.parse({ name: 'Bench', scopes: ['certifai:read'] })
    const minted = await issuer.mint('live')
    return (await issueApiKey(db, scriptActor('bench'), catalogue, issuer, minted, acmeId, input)).key
  }
  try {
    const keys = []
    for (let made = 0; made < coldMax; made += 1) keys.push(await issue())
    const [key = ''] = keys
    const forged = mintToken(parseKeyring(newKeyringText('another')), 'live').text
    const verifier = aVerifier()
    changes.start()
    while (!Number.isFinite(changes.heardAt)) await new Promise((resolve) => setTimeout(resolve, 10))
    const warm = () => verifier.verify({ key, scopes: ['certifai:read'] }, asking)
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
      const cold = await coldMs(aVerifier(), keys)
      const argon2 = await argon2Ms(issuer, keys.length)
      if (round === 0) continue
      found.p99.push(p99)
      found.cold.push(cold)
      found.argon2.push(argon2)
    }
    const before = verifier.counts
    verifier.forgetAll()
    await warm()
    const after = verifier.counts
    const expiry = { argon2: after.argon2 - before.argon2, reads: after.reads - before.reads }
    const cold = aVerifier()
    await Promise.all(Array.from({ length: 100 }, async () => await cold.verify({ key }, asking)))
    return { rates, ...found, expiry, together: cold.counts.argon2 }
  } finally {
    for (const verifier of verifiers) await verifier.close()
    await changes.close()
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

/** Milliseconds of a first verification, one after the other. */
async function coldMs(verifier: ApiKeyVerifier, keys: readonly string[]): Promise<number> {
  const from = performance.now()
  for (const key of keys) if (!(await verifier.verify({ key }, asking)).valid) throw new Error('a key is not valid')
  return (performance.now() - from) / keys.length
}

/** Milliseconds of argon2 alone: a hash takes as long as a comparison. */
async function argon2Ms(issuer: KeyIssuer, times: number): Promise<number> {
  const from = performance.now()
  for (let made = 0; made < times; made += 1) await issuer.mint('live')
  return (performance.now() - from) / times
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
  const { rates, p99, cold, argon2, expiry, together } = await measureVerifier(process.argv[2] ?? '', 3)
  for (const [name, of] of Object.entries(rates))
    console.log(name.padEnd(12), Math.round(median(of)).toLocaleString('en'))
  console.log({ p99: median(p99), cold: median(cold), argon2: median(argon2), expiry, together })
}
