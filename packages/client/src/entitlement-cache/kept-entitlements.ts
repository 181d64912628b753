import { followChanges } from '../change-follower.ts'
import { Clock, type Moment } from '../clock.ts'
import { ProblemError } from '../problem-error.ts'
import { letGo } from '../rest.ts'
import { isUuid } from '../uuid.ts'
import { answerNow, Entries, type Entry, isSuspect } from './entries.ts'
import { Loader } from './loader.ts'
import { type EntitlementsOptions, type Settings, settingsOf, type Snapshot } from './options.ts'
import { withoutRegistry } from './policy.ts'
import { Queue } from './queue.ts'
import { type Decision, decision, frozen, isEntitlements, isSame, nothing, type Verdict, verdictOf } from './verdict.ts'

/** How long an answer counts while changes are heard of: what a release of the registry changes is in no feed. */
const followedFreshMs = 300_000
/** For how long nothing need be heard: the feed answers every 25 seconds, and within 35 or not at all. */
const silentMsMax = 40_000
/** A clock that is ahead by more than this says nothing about how old something is. */
const aheadMsMax = 60_000
const tickMs = 5_000

/** That something may be used otherwise than before. */
export interface EntitlementChange {
  readonly tenant_id: string
  readonly project_id: string | null
  readonly product: string
  readonly before: Verdict
  readonly after: Verdict
}

/** A decision, and the one thing of it that was asked for. */
export interface DecidedValue<Value> extends Decision {
  readonly value: Value
}

/** Which part of a tenant is meant. */
export interface Within {
  /** One of its projects. */
  readonly projectId?: string | undefined
}

/** What tenants may use, kept at hand. Made by `createEntitlements`. */
export class KeptEntitlements<Product extends string = string> {
  readonly #settings: Settings
  readonly #clock: Clock
  readonly #entries: Entries
  readonly #loader: Loader
  readonly #queue: Queue
  readonly #closing = new AbortController()
  readonly #listeners = new Set<(change: EntitlementChange) => void>()
  readonly #ready: Promise<void>
  #becomeReady = () => {}
  /** Whether the registry has answered, or what to go by without it was given. */
  #hasBegun = false
  #lastError: unknown
  #isFollowing = false
  /** When the feed last said something, be it that nothing happened. */
  #heardAt: Moment

  /** @internal */
  constructor(options: EntitlementsOptions<Product>) {
    const { signal } = this.#closing
    const { bootstrap, now } = options
    const settings = settingsOf(options)
    const { tenantIds, entriesMax } = settings
    const onError = (error: unknown) => {
      this.#lastError = error
      settings.onError(error)
    }
    this.#settings = { ...settings, onError }
    this.#clock = new Clock(now)
    this.#heardAt = this.#clock.mark()
    this.#entries = new Entries(tenantIds, entriesMax, this.#clock)
    this.#loader = new Loader(this.#settings, this.#clock, signal, (entry) => this.#onAnswer(entry))
    this.#queue = new Queue((entry) => this.#loader.load(entry))
    this.#ready = new Promise((resolve) => (this.#becomeReady = resolve))
    if (bootstrap) this.#begin(bootstrap)

    void followChanges(this.#settings, signal, {
      onBegin: () => this.#onBegin(),
      onChanges: (changes, more) => {
        // Keys come and go without anything that may be used otherwise.
        const other = changes.filter(({ kind }) => kind !== 'api_key')
        this.#onChanges(new Set(other.map(({ tenant_id }) => tenant_id)), more)
      },
      onLost: (error) => this.#onLost(error, bootstrap !== undefined),
    })
    const timer = setInterval(() => this.#tick(), tickMs)
    letGo(timer)
    signal.addEventListener('abort', () => clearInterval(timer), { once: true })
  }

  /**
   * Waits until something is known about all of the `tenantIds`, be it from `bootstrap` and not loaded yet, and until
   * the registry has answered; with a `bootstrap`, until it has answered or has turned out not to.
   * @throws {Error} when that takes longer than `timeoutMs`, 10 seconds unless told, or `close()` comes first
   */
  async waitUntilReady({ timeoutMs = 10_000 }: { readonly timeoutMs?: number } = {}): Promise<void> {
    const { signal } = this.#closing
    let timer: ReturnType<typeof setTimeout> | undefined
    let onClose = () => {}
    const failed = new Promise<never>((_, reject) => {
      const why = `the tenant registry has not answered within ${timeoutMs} ms`
      timer = setTimeout(() => reject(new Error(why, { cause: this.#lastError })), timeoutMs)
      onClose = () => reject(new Error('the entitlements were closed'))
      signal.addEventListener('abort', onClose)
      if (signal.aborted) onClose()
    })
    try {
      await Promise.race([failed, this.#ready])
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', onClose)
    }
  }

  /**
   * Whether a tenant may use a product, and why, and what that is worth. When the registry cannot be asked it does not
   * fail: `onUnavailable` decides then. An id of another shape than the registry's is nobody's, and nobody is asked.
   * @throws {TypeError} when the product is not one of the `products`, or an id is not a string
   */
  async check(tenantId: string, product: Product, { projectId }: Within = {}): Promise<Decision> {
    if (!this.#settings.products.includes(product)) throw new TypeError(`${product} is not one of the products`)
    for (const id of [tenantId, projectId ?? '']) if (typeof id !== 'string') throw new TypeError('an id is a string')
    // It may come out of a URL: what nobody can have is not sent anywhere, and takes no one's place.
    if (!isUuid(tenantId)) return decision(nothing(product, 'tenant_not_found'), 'live', 0)
    if (projectId !== undefined && !isUuid(projectId)) return decision(nothing(product, 'project_not_found'), 'live', 0)
    const entry = this.#entries.use(tenantId, projectId)
    entry.isUsed = true
    const fresh = this.#freshAnswer(entry)
    if (fresh !== undefined) return this.#decide(entry, verdictOf(fresh, product), 'cache')
    if ((await this.#loader.load(entry)) && entry.answer !== undefined)
      return this.#decide(entry, verdictOf(entry.answer, product), 'live')
    return withoutRegistry(this.#settings, entry, product, this.#clock)
  }

  /** How much of something a tenant may have: `value` is undefined without access, and where there is no such limit. */
  async limit(
    tenantId: string,
    product: Product,
    name: string,
    within?: Within,
  ): Promise<DecidedValue<number | undefined>> {
    const decided = await this.check(tenantId, product, within)
    const limit = Object.hasOwn(decided.limits, name) ? decided.limits[name] : undefined
    return { ...decided, value: limit?.value }
  }

  /** How a product is configured for a tenant: `value` is empty without access. */
  async config(tenantId: string, product: Product, within?: Within): Promise<DecidedValue<Verdict['config']>> {
    const decided = await this.check(tenantId, product, within)
    return { ...decided, value: decided.config }
  }

  /**
   * Calls `listener` when something that was asked about before, or is of the `tenantIds`, may be used otherwise now:
   * the registry said so, or foretold it. Gives what ends that.
   */
  on(_event: 'change', listener: (change: EntitlementChange) => void): () => void {
    const own = (change: EntitlementChange) => listener(change)
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  /** What the registry said, to be kept somewhere for `bootstrap`. */
  snapshot(): Snapshot {
    const entries = [...this.#entries].flatMap(({ answer, later, askedAt }) => {
      const answers = [answer, ...later].filter((each) => typeof each === 'object')
      return answers.length === 0 ? [] : [{ asked_at: new Date(askedAt.wall).toISOString(), answers }]
    })
    return { entries }
  }

  /** Stops following changes, and asking. What is known is still answered, as the last known. */
  close(): void {
    this.#isFollowing = false
    this.#closing.abort()
  }

  #begin({ entries }: Snapshot): void {
    const { wall, ticks } = this.#clock.mark()
    for (const { asked_at, answers } of entries) {
      const [answer, ...later] = answers.map(frozen)
      const askedAt = Date.parse(asked_at)
      if (!answers.every(isEntitlements) || answer === undefined || Number.isNaN(askedAt))
        throw new TypeError('the bootstrap is not a snapshot')
      // By a clock that was wrong, or is: how long this may count is not known.
      if (askedAt > wall + aheadMsMax) continue
      const entry = this.#entries.use(answer.tenant_id, answer.project_id ?? undefined)
      const ageMs = Math.max(0, wall - askedAt)
      Object.assign(entry, { answer, later, isBootstrap: true, told: answer })
      entry.askedAt = { wall: askedAt, ticks: ticks - ageMs }
    }
  }

  #onBegin(): void {
    // What was loaded before may be of before a change that is not told any more.
    this.#suspect(() => true)
    this.#onFollowing(true)
    this.#hasBegun = true
    this.#queue.add(this.#entries.pinned)
    this.#settle()
  }

  #onChanges(tenantIds: ReadonlySet<string>, more: boolean): void {
    this.#onFollowing(!more)
    if (tenantIds.size === 0) return
    for (const entry of this.#entries) if (tenantIds.has(entry.tenantId)) entry.changedAt ??= this.#heardAt
    this.#suspect(({ tenantId }) => tenantIds.has(tenantId))
  }

  #onLost(error: unknown, hasBootstrap: boolean): void {
    this.#isFollowing = false
    // It answers, although it does not tell: the rest can be asked for.
    this.#hasBegun ||= hasBootstrap || (error instanceof ProblemError && error.status === 403)
    this.#settings.onError(error)
    this.#queue.add(this.#entries.pinned.filter((entry) => this.#freshAnswer(entry) === undefined))
    this.#settle()
  }

  #onFollowing(isFollowing: boolean): void {
    if (isFollowing && !this.#isFollowing) this.#loader.wake()
    this.#isFollowing = isFollowing
    this.#heardAt = this.#clock.mark()
  }

  #onAnswer(entry: Entry): void {
    this.#hasBegun = true
    this.#tell(entry)
    this.#settle()
  }

  #settle(): void {
    if (this.#hasBegun && this.#entries.pinned.every(({ answer }) => answer !== undefined)) this.#becomeReady()
  }

  #suspect(isMeant: (entry: Entry) => boolean): void {
    for (const entry of this.#entries) {
      if (!isMeant(entry)) continue
      entry.changes += 1
      if (this.#isWanted(entry)) this.#queue.add([entry])
    }
  }

  #tick(): void {
    for (const entry of this.#entries) {
      if (this.#isWanted(entry) && this.#freshAnswer(entry) === undefined) this.#queue.add([entry])
      this.#tell(entry)
    }
  }

  /** Whether somebody will ask, or wants to hear: others are loaded when they are asked about. */
  #isWanted(entry: Entry): boolean {
    return (
      entry.isPinned || entry.isUsed || (this.#listeners.size > 0 && entry.answer !== undefined && isSuspect(entry))
    )
  }

  /** What still counts without asking. */
  #freshAnswer(entry: Entry) {
    if (entry.isBootstrap || isSuspect(entry)) return undefined
    const { freshMs } = this.#settings
    // A process that was suspended, or whose connection leads nowhere, believes that it follows.
    const isTold = this.#isFollowing && this.#clock.since(this.#heardAt) <= Math.max(freshMs, silentMsMax)
    const countsMs = isTold ? Math.max(followedFreshMs, freshMs) : freshMs
    return this.#clock.since(entry.askedAt) <= countsMs ? answerNow(entry, this.#clock) : undefined
  }

  #decide(entry: Entry, verdict: Verdict, source: Decision['source']): Decision {
    return decision(verdict, source, this.#clock.since(entry.askedAt))
  }

  #tell(entry: Entry): void {
    const { told, tenantId, projectId } = entry
    const answer = answerNow(entry, this.#clock)
    if (answer === undefined || answer === told) return
    entry.told = answer
    if (told === undefined || this.#listeners.size === 0) return
    for (const product of this.#settings.products) {
      const [before, after] = [verdictOf(told, product), verdictOf(answer, product)]
      if (isSame(before, after)) continue
      for (const listener of this.#listeners) {
        try {
          listener({ tenant_id: tenantId, project_id: projectId ?? null, product, before, after })
        } catch (error) {
          this.#settings.onError(error)
        }
      }
    }
  }
}
