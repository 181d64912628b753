import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { type FeedChange, FeedFollower } from '../changes/feed-follower.ts'
import type { ChangeListener } from '../changes/listener.ts'
import type { Db } from '../db/handles.ts'
import { keyHousekeeping } from '../db/housekeeping.ts'
import { RegistryError } from '../errors.ts'
import type { ApiKeyId } from '../id.ts'
import type { Catalogue } from '../products/catalogue.ts'
import type { ProjectStatus } from '../projects/project.ts'
import type { Keyring } from '../secrets/keyring.ts'
import type { KeyAuthority } from './grant.ts'
import { isAddress } from './ip-range.ts'
import { type KeptKey, KeptKeys } from './kept-keys.ts'
import { findProjectStatus, replaceHash } from './key-state.repository.ts'
import {
  answerOf,
  askAgain,
  type Asker,
  authorityOf,
  judge,
  opensTo,
  type Judged,
  type KeyState,
  type Question,
  stateOf,
  unknownKey,
} from './key-state.ts'
import { Lane, type LaneBounds } from './lane.ts'
import { LastUse } from './last-use.ts'
import { type HashCost, hashCostMin, provenAtOnce, hashSecret, isOutdated, isSecretOf } from './password-hash.ts'
import { StateReader } from './state-reader.ts'
import { standIn, type Token, tokenIn, TokenReader } from './token.ts'
import { type Verification, type VerificationCode, verificationCodes, type VerifiedKey } from './verification.ts'

/** What a verifier works with. */
export interface VerifierOptions {
  readonly db: Db
  readonly catalogue: Catalogue
  readonly keyring: Keyring
  /** Says when something has changed. */
  readonly changes: ChangeListener
  /** How dear hashes are made; what was made cheaper is made anew when it is used. */
  readonly hashCost?: HashCost | undefined
  /**
   * What becomes of tokens whose MAC no key of the ring made. `enforce` refuses them; `observe` lets argon2 decide about
   * those whose key of the ring is lost, one at a time.
   */
  readonly macMode?: 'enforce' | 'observe' | undefined
  /** How many keys are kept in memory. 50 000 unless told. */
  readonly keysMax?: number | undefined
  /** The bounds of the argon2 lane. */
  readonly lane?: Partial<LaneBounds> | undefined
  /** Hears what went wrong behind the scenes. */
  readonly onFailure: (error: Error) => void
}

/** Who asks, and what that implies. */
export interface Asking {
  readonly asker: Asker
  /** Who is counted when the MAC cannot be relied on. */
  readonly caller: string
  /**
   * A signal that ends when the caller is gone. Asked for where somebody waits: to make one for every request would be
   * dear. A getter of an object literal would be as dear: V8 keeps all that it closes over until old garbage is collected.
   */
  readonly left?: (() => AbortSignal) | undefined
}

/** What a key said who it is. */
export interface KeyIdentity extends KeyAuthority {
  readonly name: string
  /** The same for all keys that were made from each other by rotation. */
  readonly family_id: ApiKeyId
}

/** That a key was proven and may not be used all the same, or that nothing is known of it. */
export interface KeyRefusal {
  readonly code: Exclude<VerificationCode, 'VALID' | 'RETRY'>
}

/** How long state is relied on: while changes are heard, while they are only looked for, and when neither works. */
const stateMs = { heard: 30_000, lost: 1_000 } as const
/** Milliseconds without a word or a look after which changes count as lost, and after which nothing is relied on. */
const silenceMs = { lost: 3_000, deaf: 30_000 } as const
/**
 * Two at a time where a third core is left for everything else. On two cores a second one gains little, and every other
 * request pays for it. Nobody waits for longer than leaves their client, which gives up after 10 s, time for an answer.
 */
const laneBounds: LaneBounds = { width: provenAtOnce, waitingMax: 5_000, waitMsMax: 7_000 }
/** How many tokens with a lost kid one caller may have judged in a second. */
const observedPerSecond = 20
/** How often uses are written down. A use is known at most a minute later, also when that fails once. */
const lastUseMs = 25_000

/** What was done so far. */
export interface VerifierCounts {
  readonly codes: Readonly<Record<VerificationCode, number>>
  /** How many verifications neither asked the database nor hashed. */
  readonly warm: number
  /** How many statements read state. */
  readonly reads: number
  /** How many times argon2 was begun. */
  readonly argon2: number
  /** How many the lane refused. */
  readonly refused: number
  /** How many wait for argon2 now, and how many keys are kept. */
  readonly waiting: number
  readonly keys: number
}

type Outcome = { readonly judged: Judged; readonly state: KeyState } | undefined

/**
 * Says whether a key is good: in microseconds when it was proven before, without asking a stranger's token anything.
 * docs/adr/0012-api-keys.md says in which order and why.
 */
export class ApiKeyVerifier {
  readonly #db: Db
  readonly #catalogue: Catalogue
  readonly #changes: ChangeListener
  readonly #onFailure: (error: Error) => void
  readonly #reader: TokenReader
  readonly #kids: ReadonlySet<string>
  readonly #observes: boolean
  readonly #cost: HashCost
  readonly #lane: Lane
  readonly #observed = new Lane({ width: 1, waitingMax: 100, waitMsMax: laneBounds.waitMsMax })
  /** Apart: whoever has a row locked must not keep other keys from being proven. */
  readonly #rehashes = new Lane({ width: 1, waitingMax: 5_000, waitMsMax: 60_000 })
  readonly #limiter = new RateLimiterMemory({ points: observedPerSecond, duration: 1 })
  /** Of this process alone: what is remembered of a token is worth nothing elsewhere. */
  readonly #salt = randomBytes(12).toString('base64')
  readonly #states: StateReader
  readonly #lastUse: LastUse
  readonly #keys: KeptKeys
  readonly #feed: FeedFollower
  readonly #reads = new Map<string, Promise<KeyState | undefined>>()
  readonly #codes = Object.fromEntries(verificationCodes.map((code) => [code, 0])) as Record<VerificationCode, number>
  #warm = 0
  /** Counts whatever may have made a read stale that is under way. */
  #epoch = 0
  #unsubscribe: (() => void) | undefined

  constructor(options: VerifierOptions) {
    this.#db = options.db
    this.#catalogue = options.catalogue
    this.#changes = options.changes
    this.#onFailure = options.onFailure
    this.#reader = new TokenReader(options.keyring)
    this.#kids = new Set(options.keyring.kids)
    this.#observes = options.macMode === 'observe'
    this.#cost = options.hashCost ?? hashCostMin
    this.#keys = new KeptKeys(options.keysMax ?? 50_000)
    this.#feed = new FeedFollower({
      db: options.db,
      onChanges: (changes) => this.#forgetChanged(changes),
      onLost: () => this.forgetAll(),
      onFailure: options.onFailure,
    })
    this.#lane = new Lane({ ...laneBounds, ...options.lane })
    this.#states = new StateReader(options.db)
    this.#lastUse = new LastUse(options.db, options.onFailure)
  }

  /** Begins to follow the changes and to write down uses. */
  start(): void {
    this.#unsubscribe ??= this.#changes.subscribe((head, mayHaveMissed) => {
      if (mayHaveMissed) this.#feed.skipTo(head)
      else void this.settle()
    })
    this.#lastUse.start(lastUseMs)
  }

  /** Follows nothing any more, and writes down the uses that are not yet. */
  async close(): Promise<void> {
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
    await this.#lastUse.close()
  }

  /** What was done so far, and how much is kept. */
  get counts(): VerifierCounts {
    return {
      codes: { ...this.#codes },
      warm: this.#warm,
      reads: this.#states.statements,
      argon2: this.#lane.done + this.#observed.done,
      refused: this.#lane.refused + this.#observed.refused,
      waiting: this.#lane.waiting + this.#observed.waiting,
      keys: this.#keys.size,
    }
  }

  /**
   * Says what a key is good for. Answers at once when it can.
   * @throws {RegistryError} `api_key.lane_full` when its turn to be proven does not come, also for callers who bring too
   *   many tokens with a lost kid; `database.unavailable`, `database.busy`
   */
  verify({ key, ...question }: Verification, asking: Asking): VerifiedKey | Promise<VerifiedKey> {
    const outcome = this.#judge(key, question, asking)
    return outcome instanceof Promise
      ? outcome.then((each) => this.#answer(each, question))
      : this.#answer(outcome, question)
  }

  /** The same for many keys: each by itself, and `RETRY` for those whose turn did not come. */
  async verifyMany(items: readonly Verification[], asking: Asking): Promise<VerifiedKey[]> {
    const answers = items.map((item) => this.verify(item, asking))
    if (!answers.some((each) => each instanceof Promise)) return answers as VerifiedKey[]
    return await Promise.all(
      answers.map(async (each) => {
        try {
          return await each
        } catch (error) {
          if (!isForLater(error)) throw error
          this.#codes.RETRY += 1
          return askAgain
        }
      }),
    )
  }

  /**
   * Says who a key is that a request to this API comes with.
   * @throws as `verify`
   */
  identify(key: string, clientIp: string | undefined, asking: Omit<Asking, 'asker'>): Identified | Promise<Identified> {
    const question = clientIp === undefined ? {} : { client_ip: clientIp }
    const outcome = this.#judge(key, question, {
      ...asking,
      asker: { kind: 'registry' },
    })
    const identified = (each: Outcome): Identified => {
      this.#count(each, question)
      if (!each) return { ok: false, code: 'NOT_FOUND' }
      const { code } = each.judged
      return code === 'VALID' ? { ok: true, key: authorityOf(each.state) } : { ok: false, code }
    }
    return outcome instanceof Promise ? outcome.then(identified) : identified(outcome)
  }

  /**
   * Finds the key that a token proves, whatever it may still be used for.
   * @throws as `verify`
   */
  async prove(key: string, asking: Omit<Asking, 'asker'>): Promise<KeyIdentity | undefined> {
    const outcome = await this.#judge(key, {}, { ...asking, asker: { kind: 'platform' } })
    return outcome && authorityOf(outcome.state)
  }

  /**
   * Takes account of everything that was committed before this was called. Whoever changes something calls it before
   * answering, so that on this process nothing answers by what was before. When the changes cannot be read, everything
   * is forgotten instead: it never fails.
   */
  settle(): Promise<void> {
    return this.#feed.settle()
  }

  /** Forgets all state. Proofs stay: they are bound to the hash that the state has. */
  forgetAll(): void {
    this.#epoch += 1
    this.#reads.clear()
    this.#keys.forgetAll()
  }

  #forgetChanged(changes: readonly FeedChange[]): void {
    this.#epoch += 1
    this.#reads.clear()
    for (const { kind, tenant_id, ref_id } of changes) {
      if (kind === 'api_key') this.#keys.forget(ref_id as ApiKeyId)
      else this.#keys.forgetTenant(tenant_id)
    }
  }

  #answer(outcome: Outcome, question: Question): VerifiedKey {
    const now = this.#count(outcome, question)
    return outcome ? answerOf(outcome.state, outcome.judged, now) : unknownKey
  }

  #count(outcome: Outcome, { client_ip }: Question): number {
    const now = Date.now()
    const code = outcome?.judged.code ?? 'NOT_FOUND'
    this.#codes[code] += 1
    if (outcome && code === 'VALID') {
      this.#lastUse.note(outcome.state.id, now, client_ip !== undefined && isAddress(client_ip) ? client_ip : null)
    }
    return now
  }

  #judge(text: string, question: Question, asking: Asking): Outcome | Promise<Outcome> {
    const shaped = tokenIn(text)
    const token = shaped ?? standIn
    // Of every token, whether or not there is anything to compare it with: what is known must not show in the time.
    const digest = this.#digest(token)
    const entry = this.#keys.get(token.prefix)
    const proven = timingSafeEqual(digest, entry?.proof?.digest ?? noDigest)
    // These are the bytes of a token that was judged before, its MAC included.
    if (proven && entry) {
      const state = this.#fresh(entry)
      if (state?.hash === entry.proof?.hash && state) {
        const project = this.#projectOf(entry, state, question)
        if (project !== unread) {
          this.#warm += 1
          return { state, judged: judge(state, question, asking.asker, this.#catalogue, Date.now(), project) }
        }
      }
    }
    const verdict = this.#reader.judge(token)
    if (!shaped || verdict === 'broken' || (verdict === 'unknown' && !this.#observes)) return undefined
    return this.#judgeSlowly(shaped, digest, verdict === 'unknown' ? undefined : verdict.kid, question, asking)
  }

  async #judgeSlowly(
    token: Token,
    digest: Buffer,
    kid: string | undefined,
    question: Question,
    asking: Asking,
  ): Promise<Outcome> {
    const { asker, caller } = asking
    // Before anything is asked: of these tokens everybody can make any number, but for one that was proven.
    const proof = this.#keys.get(token.prefix)?.proof
    if (kid === undefined && !(proof && timingSafeEqual(proof.digest, digest))) await this.#takeObservedTurn(caller)
    let provenHash: string | undefined
    // A second round for what changed while argon2 was at work, a third for a hash that was made anew meanwhile.
    for (let round = 0; round < 3; round += 1) {
      const state = await this.#stateOf(token.prefix)
      if (!state || state.environment !== token.environment || !this.#isIssuedUnder(state, kid)) return undefined
      // A key of another audience is nobody's to this one: it is not worth a hash.
      if (!opensTo(state, asker)) return undefined
      const entry = this.#keys.keep(state)
      // Where there are more keys than are kept, the entry that it was written into may be gone.
      if (state.hash === provenHash) entry.proof = { digest, hash: provenHash }
      if (entry.proof?.hash === state.hash) {
        if (!timingSafeEqual(entry.proof.digest, digest)) return undefined
        const project = await this.#readProject(entry, state, question)
        return { state, judged: judge(state, question, asker, this.#catalogue, Date.now(), project) }
      }
      if (!(await this.#isProvenBy(state, token, digest, kid, asking))) return undefined
      provenHash = state.hash
      entry.proof = { digest, hash: state.hash }
      if (isOutdated(state.hash, this.#cost)) void this.#rehash(entry, state, token, digest)
    }
    throw new RegistryError('api_key.lane_full', { retryAfterSeconds: 1 })
  }

  async #isProvenBy(
    { hash: stored }: KeyState,
    token: Token,
    digest: Buffer,
    kid: string | undefined,
    { left }: Asking,
  ): Promise<boolean> {
    const name = `${token.prefix} ${digest.toString('base64')} ${stored}`
    const work = async () => await isSecretOf(stored, token.secret)
    return await (kid === undefined ? this.#observed : this.#lane).run(name, work, left?.())
  }

  /** @throws {RegistryError} `api_key.lane_full` */
  async #takeObservedTurn(caller: string): Promise<void> {
    try {
      await this.#limiter.consume(caller)
    } catch (error) {
      if (error instanceof Error) throw error
      throw new RegistryError('api_key.lane_full', { retryAfterSeconds: 1 })
    }
  }

  /** Makes a hash anew that was made too cheaply. */
  async #rehash(entry: KeptKey, { id, hash: was }: KeyState, token: Token, digest: Buffer): Promise<void> {
    try {
      await this.#rehashes.run(token.prefix, async () => {
        const better = await this.#lane.run(`${token.prefix} rehash`, () => hashSecret(token.secret, this.#cost))
        if (await keyHousekeeping(this.#db, (tx) => replaceHash(tx, id, was, better))) {
          entry.proof = { digest, hash: better }
          this.#keys.forget(id)
        }
      })
    } catch (error) {
      // It is made anew when the key is next proven.
      this.#onFailure(error instanceof Error ? error : new Error(String(error)))
    }
  }

  /** Whether a MAC is the right one for a row: another key of the ring is not, and none is where its own is lost. */
  #isIssuedUnder({ issuer_kid }: KeyState, kid: string | undefined): boolean {
    return kid === undefined ? issuer_kid !== null && !this.#kids.has(issuer_kid) : issuer_kid === kid
  }

  /** What is kept of a token: worth nothing without the salt, and nothing in another process. */
  #digest({ text }: Token): Buffer {
    return hash('sha256', this.#salt + text, 'buffer')
  }

  /** The state of an entry, as long as it may be relied on. */
  #fresh({ state, readAt }: KeptKey): KeyState | undefined {
    if (!state) return undefined
    const now = performance.now()
    const { isListening, heardAt } = this.#changes
    const silence = now - heardAt
    if (silence > silenceMs.deaf) return undefined
    const ms = isListening && silence <= silenceMs.lost ? stateMs.heard : stateMs.lost
    return now - readAt <= ms ? state : undefined
  }

  /** Reads what is not known, or no longer. Those who want the same key wait for one read. */
  async #stateOf(prefix: string): Promise<KeyState | undefined> {
    const entry = this.#keys.get(prefix)
    const known = entry && this.#fresh(entry)
    if (known) return known
    const underWay = this.#reads.get(prefix)
    if (underWay) return await underWay
    const read = this.#read(prefix).finally(() => {
      if (this.#reads.get(prefix) === read) this.#reads.delete(prefix)
    })
    this.#reads.set(prefix, read)
    return await read
  }

  async #read(prefix: string): Promise<KeyState | undefined> {
    let [epoch, readAt] = [-1, 0]
    const row = await this.#states.read(prefix, () => {
      epoch = this.#epoch
      readAt = performance.now()
    })
    if (!row) {
      this.#keys.remove(prefix)
      return undefined
    }
    const state = stateOf(row)
    const entry = this.#keys.keep(state)
    // What changed while it was being read may not be in it.
    if (epoch === this.#epoch) {
      entry.state = state
      entry.readAt = readAt
      entry.projects = undefined
    }
    return state
  }

  /** What the project is in that a key of the whole tenant is asked about, if that is known. */
  #projectOf({ projects }: KeptKey, { project_id }: KeyState, { project_id: asked }: Question) {
    if (asked === undefined || project_id !== null) return undefined
    return projects?.has(asked) === true ? projects.get(asked) : unread
  }

  async #readProject(entry: KeptKey, state: KeyState, question: Question): Promise<ProjectStatus | undefined> {
    const known = this.#projectOf(entry, state, question)
    const { project_id: asked } = question
    if (known !== unread || asked === undefined) return known === unread ? undefined : known
    const status = await findProjectStatus(this.#db, state.tenant_id, asked)
    // A tenant has so many projects; what is asked about may be anything.
    if (entry.state === state && (entry.projects?.size ?? 0) < projectsMax)
      (entry.projects ??= new Map()).set(asked, status)
    return status
  }
}

/** What `identify` says. */
export type Identified = { readonly ok: true; readonly key: KeyIdentity } | ({ readonly ok: false } & KeyRefusal)

/** Compared with where nothing is known: no token has it. */
const noDigest = randomBytes(32)
const unread = Symbol('not read yet')
const projectsMax = 1_000

/** Whether the same question may be answered later. */
function isForLater(error: unknown): boolean {
  return error instanceof RegistryError && error.code === 'api_key.lane_full'
}
