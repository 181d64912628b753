import type { Db } from '@breakpilot/tenant-core'
import { sql } from 'kysely'
import type { Answer } from '../server.ts'

/** A body as JSON; of lines, the first. */
export function documentOf({ body, text, headers }: Answer): unknown {
  if (headers.get('content-type') === 'application/x-ndjson') return JSON.parse(text.split('\n')[0] ?? '')
  return body
}

/** The paths of the keys of a document; what is named by data is one key. */
export function keysOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return unique(value.flatMap((each) => (isObject(each) ? keysOf(each, `${path}[]`) : [])))
  if (!isObject(value) || /(?:config|limits|metadata|labels|fields|plans|config_schema)$/.test(path)) return []
  return unique(
    Object.entries(value).flatMap(([key, each]) => {
      const own = path === '' ? key : `${path}.${key}`
      return [own, ...keysOf(each, own)]
    }),
  )
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
const unique = (keys: readonly string[]) => [...new Set(keys)].sort()

/** What a stranger may not learn from: all but what every answer has of its own, and what the caller sent. */
export const masked = ({ status, headers, text }: Answer, sent: readonly string[] = []) => ({
  status,
  headers: [...headers].filter(([name]) => !['date', 'x-request-id'].includes(name)),
  text: sent
    .reduce((masking, each) => masking.replaceAll(each, '<sent>'), text)
    .replace(/"request_id":"[^"]*"/, '"request_id":"<id>"'),
})

/** How much there is, and in which versions: what a refusal leaves as it is. */
export async function versionsOf(db: Db): Promise<unknown> {
  const { rows } = await sql`
    select (select count(*) from audit_log) as events, (select sum(version) from tenants) as tenants,
      (select sum(version) from tenant_projects) as projects, (select sum(version) from api_keys) as keys,
      (select sum(version) from tenant_products) as products, (select count(*) from registry.slugs) as slugs,
      (select count(*) from registry.legal_holds) as holds`.execute(db)
  return rows
}
