import { followChanges } from '../change-follower.ts'
import { Clock } from '../clock.ts'
import { UnexpectedAnswerError } from '../error.ts'
import type { RegistryChange, Verification } from '../generated/schemas.gen.ts'
import { ProblemError } from '../problem-error.ts'
import { delayMs, pause } from '../retry.ts'
import { keyIn } from './credentials.ts'
import { type Kept, KeptAnswers } from './kept-answers.ts'
import { isWellFormedKey } from './key-shape.ts'
import { type KeyVerifierOptions, type Settings, settingsOf } from './options.ts'
import { isOutage, KeyVerificationUnavailableError, retryAfterOf } from './unavailable-error.ts'
import {
  askedOf,
  type KeyQuestion,
  type KeyVerification,
  missing,
  notFound,
  type ValidKey,
  verificationOf,
} from './verification.ts'

/** A question that is on its way. */
interface Load {
  readonly key: string
  answer: Promise<KeyVerification>
  /** What changed meanwhile: the answer may be from before. */
  readonly heard: RegistryChange[]
  /** Whether anything may have changed meanwhile. */
  isSuspect: boolean
}

/** These are about the question, and not about the key. */
const ofTheQuestion = new Set<string>([
  'PROJECT_MISMATCH',
  'ENVIRONMENT_MISMATCH',
  'IP_NOT_ALLOWED',
  'INSUFFICIENT_SCOPE',
])
/** How long the registry is left alone, by those who can do without, when it could not be asked. */
const restMs = { min: 1_000, max: 10_000 } as const
const attemptsMax = 3
const beginMsMax = 10_000

/** Says whether keys are good, and remembers it for as long as that holds. Made by `createKeyVerifier`. */
export class KeyVerifier {
  readonly #settings: Settings
  readonly #clock: Clock
  /** Apart, so that nobody's inventions take the place of what is needed when the registry cannot be asked. */
  readonly #valid: KeptAnswers
  readonly #refused: KeptAnswers
  readonly #loads = new Map<string, Load>()
  /** Also those that nobody else may wait for any more. */
  readonly #underWay = new Set<Load>()
  readonly #closing = new AbortController()
  #isFollowing = false
  #restsUntil = 0

  /** @internal */
  constructor(options: KeyVerifierOptions) {
    this.#settings = settingsOf(options)
    this.#clock = new Clock(options.now)
    this.#valid = new KeptAnswers(this.#settings.cacheMax)
    this.#refused = new KeptAnswers(this.#settings.cacheMax)
  }

  /**
   * Whether a key is good for what it is brought for. What can be no key is `NOT_FOUND`, and nobody is asked.
   * @throws {KeyVerificationUnavailableError} when that cannot be said just now
   * @throws {TypeError} when the key is not a string
   */
  async verify(key: string, question: KeyQuestion = {}): Promise<KeyVerification> {
    if (typeof key !== 'string') throw new TypeError('a key is a string')
    if (!isWellFormedKey(key)) return notFound
    const asked = askedOf(question)
    const digest = await digestOf(key)
    const id = digest + JSON.stringify(asked)
    const kept = this.#valid.get(id) ?? this.#refused.get(id)
    if (kept && this.#clock.since(kept.askedAt) < kept.freshMs) return kept.answer
    const last = this.#lastKnown(id)
    if (last && performance.now() < this.#restsUntil) return last
    this.#follow()
    const load = this.#load(id, digest, { key, ...asked })
    const isLate = last !== undefined && !(await this.#endsSoon(load))
    // Looked up anew: it may have been forgotten meanwhile.
    const known = isLate ? this.#lastKnown(id) : undefined
    if (known) return known
    try {
      return await load
    } catch (error) {
      const known = isOutage(error) ? this.#lastKnown(id) : undefined
      if (known) return known
      throw new KeyVerificationUnavailableError(error)
    }
  }

  /**
   * Whether a request comes with a key that is good for this: in `Authorization: Bearer`, else in `X-API-Key`. Without
   * one it is `MISSING`. You have to know where it comes from: give its `client_ip` if you do.
   * @throws {KeyVerificationUnavailableError} when that cannot be said just now
   */
  async verifyRequest(
    request: { readonly headers: Pick<Headers, 'get'> },
    question: KeyQuestion = {},
  ): Promise<KeyVerification> {
    const key = keyIn((name) => request.headers.get(name))
    return key === undefined ? missing : this.verify(key, question)
  }

  /** Stops following changes. Keys are still verified, and what was said of one counts for some seconds. */
  close(): void {
    this.#closing.abort()
  }

  /** What was said of a key that was valid, as long as that counts without the registry. */
  #lastKnown(id: string): ValidKey | undefined {
    const kept = this.#valid.get(id)
    if (!kept?.answer.valid || this.#clock.since(kept.askedAt) >= this.#settings.staleIfErrorMs) return undefined
    const { expires_at } = kept.answer
    // What is no time is over.
    if (expires_at !== null && !(Date.parse(expires_at) > this.#clock.after(kept.askedAt))) return undefined
    return Object.freeze({ ...kept.answer, stale: true })
  }

  /** Whether there is an answer soon, or an error: who has something to go by need not wait for longer. */
  async #endsSoon(load: Promise<unknown>): Promise<boolean> {
    const { staleAfterMs } = this.#settings
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => {
        this.#failed(new Error(`verifyApiKey: no answer within ${staleAfterMs} ms`))
        resolve(false)
      }, staleAfterMs)
    })
    const ended = () => true
    try {
      return await Promise.race([late, load.then(ended, ended)])
    } finally {
      clearTimeout(timer)
    }
  }

  #load(id: string, key: string, verification: Verification): Promise<KeyVerification> {
    const running = this.#loads.get(id)
    if (running) return running.answer
    const load: Load = { key, answer: Promise.resolve(notFound), heard: [], isSuspect: false }
    load.answer = this.#ask(load, id, verification).finally(() => {
      this.#underWay.delete(load)
      if (this.#loads.get(id) === load) this.#loads.delete(id)
    })
    this.#loads.set(id, load)
    this.#underWay.add(load)
    return load.answer
  }

  async #ask(load: Load, id: string, verification: Verification): Promise<KeyVerification> {
    const askedAt = this.#clock.mark()
    try {
      const [answer, freshMs] = await this.#answerOf(verification)
      this.#restsUntil = 0
      this.#learn(load, id, { key: load.key, answer, askedAt, freshMs })
      return answer
    } catch (error) {
      this.#failed(error)
      throw error
    }
  }

  async #answerOf(verification: Verification): Promise<readonly [KeyVerification, freshMs: number]> {
    for (let attempts = 1; ; attempts += 1) {
      const said = await this.#settings.client.apiKeys.verify(verification)
      const answer = verificationOf(said)
      if (answer && said.code !== 'RETRY') return [answer, 1_000 * said.max_age]
      const error = new UnexpectedAnswerError(
        "verifyApiKey: the answer says nothing of a key; is baseUrl the registry's?",
        { attempts },
      )
      if (!answer || attempts === attemptsMax) throw error
      await pause('verifyApiKey', delayMs(attempts, error) ?? 0, attempts, undefined)
    }
  }

  #learn(load: Load, id: string, kept: Kept): void {
    const { answer } = kept
    if (!answer.valid) {
      this.#valid.delete(id)
      // Nothing that was said of this key before counts any longer, whatever it was brought for.
      if (!ofTheQuestion.has(answer.code)) this.#valid.forget(({ key }) => key === load.key)
      for (const other of this.#underWay) if (other.key === load.key && other !== load) other.isSuspect = true
    }
    const isOld = load.isSuspect || load.heard.some((change) => answer.tenant_id === null || concerns(change, answer))
    if (isOld) return
    this.#refused.delete(id)
    ;(answer.valid ? this.#valid : this.#refused).set(id, kept)
  }

  #failed(error: unknown): void {
    const askedMs = 1_000 * (retryAfterOf(error) ?? 0)
    if (isOutage(error)) this.#restsUntil = performance.now() + Math.min(restMs.max, Math.max(restMs.min, askedMs))
    this.#settings.onError(error)
  }

  /** With the first question and not before: some runtimes forbid requests while modules are loaded. */
  #follow(): void {
    const { client, follow, onError } = this.#settings
    if (this.#isFollowing || !follow) return
    this.#isFollowing = true
    void followChanges({ client, timeoutMs: beginMsMax }, this.#closing.signal, {
      onBegin: () => this.#forgetAll(),
      onChanges: (changes) => this.#onChanges(changes),
      onLost: (error) => {
        if (error instanceof ProblemError && error.status === 410) this.#forgetAll()
        onError(error)
      },
    })
  }

  #forgetAll(): void {
    for (const load of this.#underWay) load.isSuspect = true
    this.#loads.clear()
    for (const answers of [this.#valid, this.#refused]) answers.forget(() => true)
  }

  #onChanges(changes: readonly RegistryChange[]): void {
    if (changes.length === 0) return
    for (const load of this.#underWay) load.heard.push(...changes)
    // Who asks from now on must not get an answer from before.
    this.#loads.clear()
    for (const answers of [this.#valid, this.#refused])
      answers.forget(({ answer }) => changes.some((change) => concerns(change, answer)))
  }
}

function concerns({ kind, ref_id, tenant_id }: RegistryChange, answer: KeyVerification): boolean {
  return kind === 'api_key' ? ref_id === answer.api_key_id : tenant_id === answer.tenant_id
}

/** What a key is known by: the key itself is kept nowhere. */
async function digestOf(key: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(key))
  return String.fromCharCode(...new Uint8Array(digest))
}
