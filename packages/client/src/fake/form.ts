import type { Ops } from '../generated/operations.gen.ts'
import type { Violation } from '../generated/schemas.gen.ts'
import { isUuid } from '../uuid.ts'
import { refuse } from './refusal.ts'

/** What is right for a value, or undefined where anything is. */
type Rule = (value: unknown) => boolean
type Fields = Readonly<Record<string, unknown>>

const is =
  (isRight: (text: string) => boolean): Rule =>
  (value) =>
    typeof value === 'string' && isRight(value)
const within =
  (min: number, max: number): Rule =>
  (value) =>
    Number.isInteger(value) && Number(value) >= min && Number(value) <= max

const id = is(isUuid)
const product = is((text) => text.length > 0 && text.length <= 100)
/** An id of another system. */
const foreignId = is((text) => text.length <= 200 && /^\S(?:.*\S)?$/.test(text))
const slug = is((text) => /^(?!.*--)(?=.*[a-z])[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(text) && !isUuid(text))
const spelling = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/
const time = is((text) => {
  const [, day = ''] = spelling.exec(text) ?? []
  const isDay = !Number.isNaN(Date.parse(day)) && new Date(day).toISOString().startsWith(day)
  return isDay && !Number.isNaN(Date.parse(text))
})
const count = within(1, 200)

const ids = { tenant_id: id, project_id: id, event_id: id }
const inPath: Readonly<Record<string, Rule>> = { ...ids, erp_id: foreignId, stripe_id: foreignId, product }
const asked: Readonly<Record<string, Rule>> = { project_id: id, product, at: time }
const inQuery: Partial<Record<keyof Ops, Readonly<Record<string, Rule>>>> = {
  listTenants: { limit: count },
  listProjects: { limit: count, status: is((text) => /^(active|archived)$/.test(text)) },
  listAuditEvents: { limit: count },
  getEntitlements: asked,
  listChanges: { after: within(0, Number.MAX_SAFE_INTEGER), limit: within(1, 1_000), wait: within(0, 25) },
}

const scope = is((text) => text.length <= 100 && /^[a-z][\w-]*(?::[a-z][\w-]*)*:(?:[a-z][\w-]*|\*)$/.test(text))
const brought: Readonly<Record<string, Rule>> = {
  key: is(() => true),
  project_id: id,
  environment: is((text) => /^(live|test)$/.test(text)),
  client_ip: is((text) => text.length <= 64),
}

/** What has a version that `If-Match` can name. */
const versioned: ReadonlySet<keyof Ops> = new Set([
  'updateTenant',
  'transitionTenant',
  'purgeTenant',
  'updateProject',
  'archiveProject',
  'restoreProject',
  'putTenantProduct',
  'updateTenantProduct',
  'removeTenantProduct',
])

/** Refuses what the registry would call malformed, of what the fake answers by itself. */
export function assertWellFormed(
  operation: keyof Ops,
  { path, query, body }: { readonly path: Fields; readonly query: Fields; readonly body: unknown },
): void {
  assertRight(violations(operation === 'getTenantBySlug' ? { slug } : inPath, path, '/path'))
  assertRight(violations(inQuery[operation] ?? {}, query, '/query'))
  if (operation === 'evaluateEntitlements') assertRight(violationsOfBatch(violationsOfQuestion, body))
  if (operation === 'verifyApiKeys') assertRight(violationsOfBatch(violationsOfKey, body))
  if (operation === 'verifyApiKey') assertRight(violationsOfKey(body as Fields, ''))
}

/** Refuses a condition that would not be kept: whoever sends one relies on it. */
export function assertKept(operation: keyof Ops, method: string, headers: Headers): void {
  const [match, noneMatch] = [headers.get('if-match'), headers.get('if-none-match')]
  if (method === 'GET' || (match === null && noneMatch === null)) return
  const isKept =
    match === null
      ? operation === 'putTenantProduct' && noneMatch?.trim() === '*'
      : versioned.has(operation) && noneMatch === null && /^(\*|(W\/)?"\d{1,10}(-[\w-]{1,32})?")$/.test(match.trim())
  if (!isKept) refuse('invalid', 'request.header_invalid', { detail: 'The condition is not honoured here.' })
}

function assertRight(errors: Violation[]): void {
  if (errors.length > 0) refuse('invalid', 'request.invalid', { errors })
}

function violations(rules: Readonly<Record<string, Rule>>, values: Fields, place: string): Violation[] {
  return Object.entries(values)
    .filter(([name, value]) => rules[name]?.(value) === false)
    .map(([name]) => violation(`${place}/${name}`))
}

function violationsOfBatch(violationsOf: (item: Fields, place: string) => Violation[], body: unknown): Violation[] {
  const { items } = (body ?? {}) as { readonly items?: unknown }
  if (!Array.isArray(items) || items.length < 1 || items.length > 100) return [violation('/items')]
  return items.flatMap((item: Fields, index) => violationsOf(item, `/items/${index}`))
}

const violationsOfQuestion = (item: Fields, place: string) =>
  violations({ ...asked, tenant_id: id }, { tenant_id: undefined, ...item }, place)

const violationsOfKey = ({ scopes, ...rest }: Fields, place: string) => [
  ...violations(brought, { key: undefined, ...rest }, place),
  ...(scopes === undefined ? [] : violationsOfScopes(scopes, `${place}/scopes`)),
]

function violationsOfScopes(value: unknown, place: string): Violation[] {
  if (Array.isArray(value)) {
    if (value.length > 100) return [violation(place)]
    return value.flatMap((each, index) => (scope(each) ? [] : [violation(`${place}/${index}`)]))
  }
  if (typeof value !== 'object' || value === null) return [violation(place)]
  return Object.entries(value).flatMap(([name, scopes]) => violationsOfScopes(scopes, `${place}/${name}`))
}

const violation = (pointer: string): Violation => ({ pointer, code: 'invalid_format', message: 'is malformed' })
