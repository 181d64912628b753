import {
  createCatalogue,
  createDb,
  parseManifest,
  redactExpired,
  saveRetention,
  scriptActor,
  StreamId,
  type Tenant,
  verifyStream,
} from '@breakpilot/tenant-core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { aTenant } from '../builders.ts'
import { run } from '../migrations/command.ts'
import { anEvidence, backdate, type Evidence, linesOf } from './evidence.ts'

/** 30 days, 90 on professional. */
const catalogue = createCatalogue([
  parseManifest(
    '{ key: certifai, name: CertifAI, status: active, owner: us, supports_projects: false, limits: { audit_retention_days: 30 }, plans: { professional: { limits: { audit_retention_days: 90 } }, starter: {} } }',
    'certifai.yaml',
  ),
])
const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000)

let evidence: Evidence
let acme: Tenant
let globex: Tenant
beforeEach(async () => {
  evidence = await anEvidence()
  acme = await aTenant(evidence.db, { plan: 'professional' })
  globex = await aTenant(evidence.db, { plan: 'starter' })
  // What the registry said of them, and three events, 45 days ago; and two of today.
  for (const tenant of [acme, globex]) {
    await appendTo(tenant, 3)
    await backdate(evidence, streamOf(tenant), 4, daysAgo(45))
    await appendTo(tenant, 2)
  }
  await evidence.checkpoint()
  await saveRetention(evidence.db, catalogue)
  await sayForDays(8)
})
afterEach(async () => await evidence.close())

const streamOf = ({ id }: Tenant) => StreamId.parse(id)
const appendTo = async ({ id, name }: Tenant, count: number) =>
  await evidence.append(count, { tenant_id: id, group: { id, name } })
const sayForDays = async (days: number) =>
  await evidence.tamper(`update registry.audit_retention set since = now() - make_interval(days => $1)`, [days])
const hold = async (tenant: Tenant) =>
  await evidence.tamper(`insert into registry.legal_holds (stream_id, reason, by) values ($1, 'lawsuit', 'test')`, [
    tenant.id,
  ])

const expire = async (...args: string[]) => {
  const options = ['--expired', '--reason', 'retention', '--by', 'scheduler', ...args]
  const { code, lines, error } = await run(['audit-redact', ...options], { DATABASE_URL: evidence.database.ownerUrl })
  return { code, ...lines[0], error }
}
/** As the command does it, until somebody ends it while a batch is being written. */
async function interrupted(): Promise<void> {
  const owner = createDb({ connectionString: evidence.database.ownerUrl })
  const ending = new AbortController()
  const db = owner.withPlugin({
    transformQuery({ node }) {
      if (JSON.stringify(node).includes('redact_audit_events')) ending.abort()
      return node
    },
    transformResult: async ({ result }) => result,
  })
  const options = { reason: 'retention', signal: ending.signal }
  await expect(redactExpired(db, scriptActor('scheduler'), options)).rejects.toMatchObject({ name: 'AbortError' })
  await owner.destroy()
}
const rowsOf = async (stream: StreamId) =>
  await evidence.db
    .selectFrom('audit_log')
    .select(['stream_seq', 'action', 'actor_id', 'row_salt', 'fields', 'metadata'])
    .where('stream_id', '=', stream)
    .orderBy('stream_seq')
    .execute()
const redactedPlaces = async (stream: StreamId) =>
  (await rowsOf(stream)).filter(({ row_salt }) => row_salt === null).map(({ stream_seq }) => stream_seq)

describe('what is over by the plan of its tenant', () => {
  it('is counted by a dry run, which changes nothing', async () => {
    expect(await expire('--dry-run')).toMatchObject({ code: 0, dry_run: true, events: 3, streams: 1, held: [] })
    expect([await redactedPlaces(streamOf(acme)), await redactedPlaces(streamOf(globex))]).toEqual([[], []])
    expect(await rowsOf(streamOf(globex))).toHaveLength(6)
  })

  it('is looked at once: a run goes on where the ones before it have come to, product by product', async () => {
    const places = async () =>
      (
        await evidence.read<{ product: string; stream_seq: string }>(`
        select product, stream_seq from registry.audit_expired where stream_id = '${globex.id}' order by product`)
      ).rows
    await expire('--dry-run')
    expect(await places()).toEqual([])
    await expire()
    expect(await places()).toEqual([{ product: 'certifai', stream_seq: '4' }])
    await backdate(evidence, streamOf(globex), 5, daysAgo(44))
    // Behind the place that was come to there is one more; what is before it is not looked at, whatever it is.
    await evidence.tamper('update registry.audit_expired set stream_seq = 5')
    expect(await expire()).toMatchObject({ code: 0, events: 0, streams: 0 })
    await evidence.tamper('update registry.audit_expired set stream_seq = 4')
    expect(await expire()).toMatchObject({ code: 0, events: 1, streams: 1 })
    expect(await places()).toEqual([{ product: 'certifai', stream_seq: '5' }])
    expect(await redactedPlaces(streamOf(globex))).toEqual([2, 3, 4, 5])
  })

  it('is redacted, what other plans keep and what the registry said is not, and the log tells of it and verifies', async () => {
    expect(await expire()).toMatchObject({ code: 0, dry_run: false, events: 3, streams: 1, held: [] })
    const rows = await rowsOf(streamOf(globex))
    expect(rows.map(({ action, actor_id }) => [action, actor_id])).toEqual([
      ['tenant.created', 'test'],
      ['report.opened', null],
      ['report.opened', null],
      ['report.opened', null],
      ['report.opened', 'u1'],
      ['report.opened', 'u1'],
      ['audit_event.redacted', 'scheduler'],
    ])
    const told = rows.at(-1)
    expect(JSON.parse(String(told?.fields))).toEqual({ 'after.events': '3', 'after.stream_seqs': '2-4' })
    expect(JSON.parse(String(told?.metadata))).toEqual({ note: 'retention' })
    expect(await redactedPlaces(streamOf(acme))).toEqual([])

    await evidence.checkpoint()
    expect(await evidence.findings({ checkpoints: linesOf(evidence.lines) })).toEqual([])
    expect(await verifyStream(evidence.db, streamOf(globex), {})).toMatchObject({ intact: true, redacted: 3 })
  })

  it('is redacted once: doing it again changes nothing', async () => {
    await expire()
    const before = await rowsOf(streamOf(globex))
    expect(await expire()).toMatchObject({ code: 0, events: 0, streams: 0 })
    expect(await rowsOf(streamOf(globex))).toEqual(before)
  })

  it('follows the plan that the tenant is on now, and what was agreed with it', async () => {
    await evidence.tamper(`update tenants set plan = 'professional' where id = $1`, [globex.id])
    await evidence.tamper(
      `insert into tenant_products (tenant_id, product, limits) values ($1, 'certifai', '{"audit_retention_days": 10}')`,
      [acme.id],
    )
    expect(await expire()).toMatchObject({ code: 0, events: 3, streams: 1 })
    expect([await redactedPlaces(streamOf(acme)), await redactedPlaces(streamOf(globex))]).toEqual([[2, 3, 4], []])
  })

  it('stays under a legal hold', async () => {
    await hold(globex)
    const left = { code: 0, events: 0, streams: 0, held: [globex.id] }
    expect(await expire('--dry-run')).toMatchObject(left)
    expect(await expire()).toMatchObject(left)
    expect(await redactedPlaces(streamOf(globex))).toEqual([])
  })

  it('stays while how long it is kept has been said for less than seven days', async () => {
    await sayForDays(6)
    expect(await expire()).toMatchObject({ code: 0, events: 0, streams: 0, held: [] })
  })

  it('is redacted some hundred events at a time, each batch with its own word of it, also by who goes on after another', async () => {
    const stream = await evidence.append(1_100, { group: { id: 'of nobody' } })
    await backdate(evidence, stream, 1_100, daysAgo(45))
    await evidence.tamper(`update tenants set plan = 'professional' where id = $1`, [globex.id])
    await interrupted()
    expect(await redactedPlaces(stream)).toHaveLength(500)
    expect(await expire()).toMatchObject({ code: 0, events: 600, streams: 1 })
    const told = (await rowsOf(stream)).slice(1_100).map(({ fields }) => JSON.parse(String(fields)))
    expect(told).toEqual([
      { 'after.events': '500', 'after.stream_seqs': '1-500' },
      { 'after.events': '500', 'after.stream_seqs': '501-1000' },
      { 'after.events': '100', 'after.stream_seqs': '1001-1100' },
    ])
    expect(await verifyStream(evidence.db, stream, {})).toMatchObject({ intact: true, redacted: 1_100 })
  })
})

it.each([
  ['one event', ['--event', '0190f1c2-8a6b-7c3d-9e4f-5a6b7c8d9e0f']],
  ['somebody', ['--actor', 'u1', '--product', 'certifai']],
])('is about all streams, and not about %s', async (_, args) => {
  expect(await expire(...args)).toMatchObject({ code: 2, error: { code: 'usage' } })
})

it('a dry run is of what is over alone', async () => {
  const args = ['--dry-run', '--actor', 'u1', '--product', 'certifai', '--reason', 'x', '--by', 'x']
  const { code, error } = await run(['audit-redact', ...args], { DATABASE_URL: evidence.database.ownerUrl })
  expect({ code, error }).toMatchObject({ code: 2, error: { code: 'usage' } })
})
