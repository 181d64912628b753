import { type NotModified, notModified } from '../call.ts'
import type { Clock } from '../clock.ts'
import { UnexpectedAnswerError } from '../error.ts'
import { ProblemError } from '../problem-error.ts'
import { type Entry, isSuspect } from './entries.ts'
import type { Settings } from './options.ts'
import { Patience } from './patience.ts'
import { type Answer, frozen, isEntitlements, isOver } from './verdict.ts'

/** What the registry answers about what is not there; a 404 of something before the registry is none of it. */
const absences = new Map<unknown, Answer>([
  ['tenant.not_found', 'tenant_not_found'],
  ['project.not_found', 'project_not_found'],
])

const once = { attempts: 1 }

/** A trial has a step each day; nobody needs to know more than what happens within the time that is the last known. */
const stepsMax = 8

/** Asks the registry, one question at a time for each entry. */
export class Loader {
  readonly #settings: Settings
  readonly #clock: Clock
  readonly #signal: AbortSignal
  readonly #onAnswer: (entry: Entry) => void
  readonly #patience: Patience

  constructor(settings: Settings, clock: Clock, signal: AbortSignal, onAnswer: (entry: Entry) => void) {
    this.#settings = settings
    this.#clock = clock
    this.#signal = signal
    this.#onAnswer = onAnswer
    this.#patience = new Patience(settings.timeoutMs)
  }

  /** Loads an entry. Whether that was possible; why not is told to `onError`. It never fails. */
  load(entry: Entry): Promise<boolean> {
    if (entry.loading) return entry.loading
    if (this.#signal.aborted || !this.#patience.mayAsk(entry)) return Promise.resolve(false)
    entry.loading = this.#load(entry).finally(() => (entry.loading = undefined))
    return entry.loading
  }

  /** A sign of life: no reason to rest any longer. */
  wake(): void {
    this.#patience.wake()
  }

  async #load(entry: Entry): Promise<boolean> {
    try {
      await this.#ask(entry)
      // What changed while the question was under way may be missing from its answer.
      if (isSuspect(entry)) await this.#ask(entry)
    } catch (error) {
      if (this.#signal.aborted) return false
      entry.isUsed = true
      this.#patience.failed(entry, error)
      this.#settings.onError(error)
      return false
    }
    this.#patience.succeeded(entry)
    this.#onAnswer(entry)
    void this.#foresee(entry)
    return true
  }

  async #ask(entry: Entry): Promise<void> {
    const { changes } = entry
    const askedAt = this.#clock.mark()
    entry.isUsed = false
    try {
      const { data, etag } = await this.#get(entry, undefined, entry.etag).withResponse()
      if (data !== notModified) {
        if (!isEntitlements(data))
          throw new UnexpectedAnswerError('getEntitlements: the answer is something else', once)
        entry.answer = frozen(data)
        entry.later = []
      }
      // What holds now is the same, but perhaps not what will.
      if (changes !== entry.changesSeen) entry.later = []
      entry.etag = etag
    } catch (error) {
      const absent = error instanceof ProblemError && absences.get(error.code)
      if (!absent) throw error
      entry.answer = absent
      entry.later = []
      entry.etag = undefined
    }
    entry.askedAt = askedAt
    entry.changesSeen = changes
    if (!isSuspect(entry)) entry.changedAt = undefined
    entry.isBootstrap = false
  }

  /**
   * Asks what will hold when the answer is over, for the time when the registry cannot be asked: at its end a trial is
   * read-only and not unknown. What was foretold before and still counts is not asked again. Where nobody goes on
   * without the registry, nobody needs that.
   */
  async #foresee(entry: Entry): Promise<void> {
    const { onUnavailable, lastKnownMs } = this.#settings
    const { answer, askedAt } = entry
    if (onUnavailable === 'deny') return
    const later = [...entry.later]
    try {
      for (let last = later.at(-1) ?? answer; later.length < stepsMax && last !== undefined; later.push(last)) {
        if (!isOver(last, askedAt.wall + lastKnownMs) || typeof last === 'string' || last.valid_until === null) break
        const next: Answer | NotModified = await this.#get(entry, last.valid_until)
        if (!isEntitlements(next)) break
        last = frozen(next)
      }
    } catch {
      // Whether the registry can be asked is seen where it matters; here it is only not known what will be.
      return
    }
    // Otherwise it was asked again meanwhile, and this may be about something else.
    if (entry.askedAt === askedAt) entry.later = later
  }

  #get({ tenantId, projectId }: Entry, at?: string, ifNoneMatch?: string) {
    const { client, timeoutMs } = this.#settings
    const query = { ...(projectId !== undefined && { project_id: projectId }), ...(at !== undefined && { at }) }
    const options = { ifNoneMatch, timeoutMs, deadlineMs: timeoutMs, signal: this.#signal }
    return client.entitlements.get(tenantId, query, options)
  }
}
