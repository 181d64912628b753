import { isIP } from 'node:net'
import { type HashedFlags, instantOf, PublishedEvent, safeParse } from '@breakpilot/tenant-core'
import type { z } from 'zod'
import type { EventViolation } from './wire-error.ts'

/** An event with a thousand mistakes is told of the first ones. */
const issuesMax = 50

/** An event that is good, and what its sender hashes of it otherwise. */
export interface GoodEvent {
  readonly event: PublishedEvent
  readonly hashedFlags: HashedFlags
  readonly violations?: undefined
}

/** An event that was read, or all that is wrong with it. */
export type ReadEvent = GoodEvent | { readonly event?: undefined; readonly violations: readonly EventViolation[] }

type Sent = Readonly<Record<string, unknown>>

const names: ReadonlySet<string> = new Set([
  'action',
  'crud',
  'group',
  'actor',
  'target',
  'created',
  'source_ip',
  'description',
  'component',
  'version',
  'external_id',
  'is_anonymous',
  'is_failure',
  'fields',
  'metadata',
])

/**
 * Reads an event as Retraced's clients send it. An empty text, null, and an object with nothing in it, says nothing; so
 * does the zero time of the Go client. Whatever is wrong is told, in an order that stays the same.
 */
export function readEvent(sent: unknown): ReadEvent {
  if (!isObject(sent)) return { violations: [invalid('', 'An event must be an object')] }
  const said = saidOf(sent)
  const own = violationsOf(said)
  const unknown = Object.keys(sent).filter((name) => !names.has(name))
  const parsed = safeParse(PublishedEvent, candidateOf(said), { reportInput: true })
  const schema = parsed.success ? [] : parsed.error.issues.slice(0, issuesMax).flatMap(violationsFor)
  const violations = oneForEach([
    ...own,
    ...unknown.slice(0, issuesMax).map((name) => invalid(name, `"${shorten(name)}" is not allowed`)),
    ...schema,
  ])
  if (parsed.success && violations.length === 0) return { event: parsed.data, hashedFlags: hashedFlagsOf(sent) }
  return { violations }
}

/** The first thing that is wrong with each field: what is missing as a whole is not told of part by part. */
function oneForEach(violations: readonly EventViolation[]): EventViolation[] {
  const told = new Set<string>()
  return violations.filter(({ field }) => {
    const parts = field.split('.')
    if (parts.some((_, at) => told.has(parts.slice(0, at + 1).join('.')))) return false
    told.add(field)
    return true
  })
}

/** What an event says, without what says nothing. */
function saidOf(sent: Sent): Sent {
  const entries = Object.entries(sent).map(([name, value]): [string, unknown] => {
    if (parties.has(name)) return [name, partyOf(value)]
    if (name === 'is_anonymous' || name === 'is_failure') return [name, flagOf(value ?? undefined)]
    if (name === 'created' && typeof value === 'string' && isZeroTime(value)) return [name, undefined]
    return [name, value === '' || value === null ? undefined : value]
  })
  return Object.fromEntries(entries)
}

/** What the Go client sends for a time that nobody set: the first instant that can be said at all. */
const isZeroTime = (text: string) => instantOf(text)?.getTime() === zeroTime
const zeroTime = Date.parse('0001-01-01T00:00:00Z')

const parties: ReadonlySet<string> = new Set(['group', 'actor', 'target'])

function partyOf(value: unknown): unknown {
  if (value === null) return undefined
  if (!isObject(value)) return value
  const entries = Object.entries(value).filter(([, each]) => each !== '' && each !== null && each !== undefined)
  return entries.length > 0 ? Object.fromEntries(entries) : undefined
}

const flagOf = (value: unknown) => (value === 'true' ? true : value === 'false' ? false : value)

/** Every text is true to a client that hashes what it sends, also the one that says false. */
const hashedFlagsOf = ({ is_anonymous, is_failure }: Sent): HashedFlags => ({
  ...(is_anonymous === 'false' && { is_anonymous: true }),
  ...(is_failure === 'false' && { is_failure: true }),
})

/** What Retraced's own rules ask, in its order. */
function violationsOf(said: Sent): EventViolation[] {
  const { action, crud, actor, created, source_ip } = said
  return [
    ...(isMissing(action) ? [missing('action', "Missing required field 'action'")] : []),
    ...(isMissing(crud) ? [missing('crud', "Missing required field 'crud'")] : []),
    ...(['group', 'actor', 'target'] as const).flatMap((name) => {
      const party = said[name]
      if (!isObject(party) || !isMissing(party['id'])) return []
      return [missing(`${name}.id`, `Missing required field '${name}.id': something is said of the ${name}`)]
    }),
    ...(isMissing(actor) && said['is_anonymous'] !== true
      ? [missing('actor', "Missing 'actor': say who did it, or set 'is_anonymous' to true")]
      : []),
    ...(isMissing(created) || (typeof created === 'string' && instantOf(created))
      ? []
      : [refused('created', created, 'an ISO 8601 date or time in the years 0001 to 9999')]),
    ...(isMissing(crud) || (typeof crud === 'string' && /^[crud]$/.test(crud))
      ? []
      : [refused('crud', crud, 'c, r, u or d')]),
    ...(isMissing(source_ip) || (typeof source_ip === 'string' && isIP(source_ip) !== 0)
      ? []
      : [refused('source_ip', source_ip, 'an IPv4 or IPv6 address')]),
  ]
}

/** The same event in the registry's own words: what is still wrong with it, its schema says. */
function candidateOf(said: Sent): object {
  const { created, ...rest } = said
  const at = typeof created === 'string' ? instantOf(created) : undefined
  const known = Object.entries(rest).filter(([name, value]) => names.has(name) && value !== undefined)
  return { ...Object.fromEntries(known), ...(at && { created_at: at.toISOString() }) }
}

function violationsFor(issue: z.core.$ZodIssue): EventViolation[] {
  const path = issue.path.map((key) => (key === 'created_at' ? 'created' : String(key)))
  const field = path.join('.')
  if (issue.code === 'unrecognized_keys') {
    return issue.keys
      .slice(0, issuesMax)
      .map((key) => invalid([...path, key].join('.'), `"${shorten([...path, key].join('.'))}" is not allowed`))
  }
  const what = field === '' ? 'the event' : `"${shorten(field)}"`
  return [{ ...invalid(field, `${what} ${messageOf(issue)}`), ...receivedOf(issue.input) }]
}

function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type')
    return issue.expected === 'record' ? 'must be an object' : `must be of type ${issue.expected}`
  return issue.message
}

const missing = (field: string, message: string): EventViolation => ({ message, field, violation: 'missing' })
const invalid = (field: string, message: string): EventViolation => ({ message, field, violation: 'invalid' })
const refused = (field: string, received: unknown, wanted: string): EventViolation => ({
  ...invalid(field, `Invalid value ${spell(received)} of field '${field}': it must be ${wanted}`),
  ...receivedOf(received),
})

/** What was sent, where that is short: an answer is not longer than its question. */
function receivedOf(value: unknown): Pick<EventViolation, 'received'> {
  if (typeof value === 'string') return { received: shorten(value) }
  return typeof value === 'number' || typeof value === 'boolean' || value === null ? { received: value } : {}
}

/** Of lists and objects only what they are: some are nested deeper than a text can be made of them. */
function spell(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? '[…]' : '{…}'
  return shorten(JSON.stringify(value) ?? '')
}

const shorten = (text: string) => (text.length > 100 ? `${text.slice(0, 100)}…` : text)

const isMissing = (value: unknown) => value === undefined || value === null || value === ''

function isObject(value: unknown): value is Sent {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
