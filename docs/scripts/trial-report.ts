/**
 * Lists the trials that end within so many days (14 unless told): `… trial-report.ts 30`, as tab-separated values: slug,
 * name, who looks after it, the end, and the days that are left.
 *
 * DATABASE_URL says where the registry is. It only reads.
 */
import { createDb, createRegistry, scriptActor } from '@breakpilot/tenant-core'

const dayMs = 86_400_000
const days = Number(process.argv[2] ?? 14)
const now = Date.now()

const db = createDb({ connectionString: process.env['DATABASE_URL'] ?? '', poolSize: 1 })
const registry = createRegistry(db, scriptActor('trial-report'))

try {
  const trials = registry.tenants.list({
    status: 'trial',
    trial_ends_before: new Date(now + days * dayMs).toISOString(),
    sort: 'name',
  })
  for await (const { slug, name, sales_owner, trial_ends_at } of trials) {
    const left = trial_ends_at ? Math.ceil((trial_ends_at.getTime() - now) / dayMs) : ''
    console.log([slug, name, sales_owner ?? '', trial_ends_at?.toISOString() ?? '', left].join('\t'))
  }
} finally {
  await db.destroy()
}
