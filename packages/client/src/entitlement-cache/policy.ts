import type { Clock } from '../clock.ts'
import { answerNow, type Entry } from './entries.ts'
import type { Question, Settings } from './options.ts'
import { type Access, accessOf, type Decision, decision, isOver, nothing, type Verdict, verdictOf } from './verdict.ts'

/** For how long the answer of before a change is the last known: time to read it anew, and not a day to use it. */
const changedMsMax = 300_000

/** What holds for an entry while the registry cannot be asked. What may be over by now is not the last known. */
export function withoutRegistry(settings: Settings, entry: Entry, product: string, clock: Clock): Decision {
  const { onUnavailable } = settings
  const last = lastKnown(settings, entry, product, clock)
  const source = entry.isBootstrap ? 'bootstrap' : 'last_known'
  const staleMs = clock.since(entry.askedAt)
  if (onUnavailable === 'last_known' && last) return decision(last, source, staleMs)
  const denied = nothing(product, 'unavailable')
  if (typeof onUnavailable === 'string') return decision(denied, 'unavailable', null)

  const { tenantId, projectId } = entry
  const access = decided(settings, onUnavailable, { tenantId, projectId, product, last })
  if (last === undefined) return decision({ ...denied, access }, 'unavailable', null)
  if (access === last.access) return decision(last, source, staleMs)
  // Without access there is nothing to be configured; otherwise the terms are those that the registry said last.
  return decision({ ...(access === 'none' ? denied : last), access, reason: 'unavailable' }, source, staleMs)
}

function lastKnown({ lastKnownMs }: Settings, entry: Entry, product: string, clock: Clock): Verdict | undefined {
  if (clock.since(entry.askedAt) > lastKnownMs) return undefined
  if (entry.changedAt && clock.since(entry.changedAt) > changedMsMax) return undefined
  const answer = answerNow(entry, clock)
  if (answer !== undefined) return verdictOf(answer, product)
  // It is over as a whole, but perhaps only for another product, or the trial has a day less.
  const newest = entry.later.at(-1) ?? entry.answer
  const verdict = newest && verdictOf(newest, product)
  return verdict && !isOver(verdict, clock.after(entry.askedAt)) ? { ...verdict, trial_days_left: null } : undefined
}

function decided({ onError }: Settings, decide: (question: Question) => Access, question: Question): Access {
  try {
    return accessOf(decide(question))
  } catch (error) {
    onError(error)
    return 'none'
  }
}
