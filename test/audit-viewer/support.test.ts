import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { createTenant, NewTenant, NewTenantProduct, putTenantProduct, type TenantId } from '@breakpilot/tenant-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { memberClaims, operatorClaims } from '../../packages/http/test/claims.ts'
import { aSigningKey, type Claims, startProvider, type TestProvider } from '../../packages/http/test/oidc-provider.ts'
import { keyCatalogue, testActor } from '../builders.ts'
import { clientOf, startWire, type Wire } from '../retraced/wire.ts'
import { chromiumPath, startChromium, watchedPage } from './chromium.ts'

/** The platform's people open the page, and find what happened to a tenant across all products. */
const executable = chromiumPath()
const root = resolve(import.meta.dirname, '../..')

/** One server as `make dev` runs it, and one that asks everybody who they are. */
let local: Wire
let guarded: Wire
let provider: TestProvider
let acme: TenantId

const shots = process.env['SHOTS']
const shoot = async (page: Page, name: string) => {
  if (shots) await page.screenshot({ path: `${shots}/${name}.png` })
}

async function aTenant(wire: Wire, slug: string, name: string): Promise<TenantId> {
  const input = NewTenant.parse({ slug, name, status: 'active', plan: 'professional' })
  const { id } = await createTenant(wire.db, testActor, keyCatalogue, input)
  for (const product of ['certifai', 'compliance']) {
    await putTenantProduct(wire.db, testActor, keyCatalogue, id, product, NewTenantProduct.parse({}))
  }
  return id
}

async function publish(product: string, environment: 'live' | 'test', ...events: object[]): Promise<void> {
  const key = await local.publisherKey({ product, environment })
  const { status } = await local.ask('POST', `/publisher/v1/project/${product}/event/bulk`, key, { json: { events } })
  expect(status).toBe(201)
}

beforeAll(async () => {
  if (executable === undefined) return
  await promisify(execFile)(process.execPath, [resolve(root, 'apps/audit-viewer/build.ts')])
  local = await startWire()
  provider = await startProvider([await aSigningKey('RS256', 'one')])
  guarded = await startWire({ AUTH_MODE: 'oidc', KEYCLOAK_ISSUER: provider.issuer })
  acme = await aTenant(local, 'acme', 'Acme Inc.')
  const group = { id: acme }
  await publish('certifai', 'live', { action: 'deal.closed', crud: 'c', actor: { id: 'a', name: 'Ann' }, group })
  await publish('certifai', 'test', { action: 'deal.tried', crud: 'c', actor: { id: 'a', name: 'Ann' }, group })
  const report = { id: 'r-1', name: 'Yearly report', type: 'report' }
  await publish('compliance', 'live', {
    action: 'report.shared',
    crud: 'u',
    actor: { id: 'b', name: 'Bob' },
    target: report,
    group,
  })
})
afterAll(async () => {
  await local?.stop()
  await guarded?.stop()
  await provider?.close()
})

const rows = (page: Page) => page.locator('.EventsWrapper .TableRow-wrapper')
const texts = async (page: Page) => (await rows(page).allInnerTexts()).join('\n')
const isShown = async (page: Page, text: string) => await page.getByText(text).first().waitFor()

/** Ends every session there is. */
const endAll = async (wire: Wire) =>
  await wire.query(`update registry.audit_support_viewers set expires_at = now() - interval '1 second'`)

describe.skipIf(executable === undefined)('where authentication is off', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await startChromium(executable ?? '')
  })
  afterAll(() => browser?.close())

  test('a link that names the tenant shows what happened across all products, and less where less is chosen', async () => {
    await using watched = await watchedPage(browser, local.url)
    const { page, asked, faults } = watched
    await page.goto(`${local.url}/audit/viewer?tenant=acme`)
    await rows(page).first().waitFor()
    const all = await texts(page)
    for (const text of ['certifai: Ann performed the action deal.closed', 'certifai (test): Ann', 'compliance: Bob']) {
      expect(all).toContain(text)
    }
    expect(all).toMatch(/tenant-registry: .* performed the action tenant\.created/)
    expect(await page.title()).toBe('Acme Inc. · Audit log')
    await shoot(page, 'support-all')

    await page.getByLabel('Product').selectOption('compliance')
    await expect.poll(async () => await rows(page).count()).toBe(1)
    expect(await texts(page)).toContain('report.shared')
    expect(new URL(page.url()).search).toBe('?tenant=acme&product=compliance')
    await page.getByLabel('Product').selectOption('tenant-registry')
    await expect.poll(async () => await texts(page)).toContain('tenant.created')
    expect(await texts(page)).not.toContain('report.shared')
    await page.getByLabel('Product').selectOption('')
    await page.getByLabel('Environment').selectOption('test')
    await expect.poll(async () => await rows(page).count()).toBe(1)
    expect(await texts(page)).toContain('deal.tried')

    const ended = page.waitForResponse((response) => response.request().method() === 'DELETE')
    await page.getByRole('button', { name: 'Close' }).click()
    expect((await ended).status()).toBe(204)
    await page.getByRole('heading', { name: 'For the platform’s people' }).waitFor()
    expect(await rows(page).count()).toBe(0)
    expect(faults).toEqual([])
    // The look, and each choice, is a token of its own.
    expect(asked.filter((each) => each === 'POST /v1/audit/viewer-tokens')).toHaveLength(5)
  })

  test('an answer that comes after another choice was made is not shown', async () => {
    await using watched = await watchedPage(browser, local.url)
    const { page, asked, faults } = watched
    const searches = () => asked.filter((each) => each.startsWith('POST /audit/viewer/v1/graphql'))
    const held: (() => Promise<void>)[] = []
    let isHeld = true
    await page.route('**/audit/viewer/v1/graphql*', async (route) => {
      const response = await route.fetch()
      const fulfill = async () => await route.fulfill({ response })
      if (isHeld) held.push(fulfill)
      else await fulfill()
    })
    await page.goto(`${local.url}/audit/viewer?tenant=acme`)
    await expect.poll(() => held.length).toBe(1)
    isHeld = false
    await page.getByLabel('Product').selectOption('compliance')
    await expect.poll(async () => await rows(page).count()).toBe(1)

    const finished = page.waitForEvent('requestfinished', (request) => request.url().includes('/graphql'))
    await held[0]?.()
    await finished
    await page.evaluate(async () => await new Promise((resolve) => void setTimeout(resolve, 100)))
    expect(await texts(page)).toContain('report.shared')
    expect(await texts(page)).not.toContain('deal.closed')
    // The viewer searches once for each session it has, and would have had two.
    expect(searches()).toHaveLength(2)
    expect(faults).toEqual([])
  })

  test('the form opens a log by slug or id, and says when there is none', async () => {
    await using watched = await watchedPage(browser, local.url)
    const { page, faults } = watched
    await page.goto(`${local.url}/audit/viewer`)
    await page.getByLabel('Tenant, by its slug or id').fill('nobody-here')
    await page.getByRole('button', { name: 'Open the log' }).click()
    await isShown(page, 'There is no such tenant')
    await shoot(page, 'support-form')
    await page.getByLabel('Tenant, by its slug or id').fill(` ${acme} `)
    await page.getByLabel('Tenant, by its slug or id').press('Enter')
    await rows(page).first().waitFor()
    expect(new URL(page.url()).search).toBe('?tenant=acme')
    expect(faults).toEqual([])
  })

  test('the log is paged, searched and downloaded', async () => {
    const many = await aTenant(local, 'many', 'Many Ltd.')
    const event = (n: number) => ({ action: `step.n${n}`, crud: 'c', actor: { id: 'a' }, group: { id: many } })
    await publish('certifai', 'live', ...Array.from({ length: 30 }, (_, n) => event(n)))
    await publish('compliance', 'live', event(30))
    await using watched = await watchedPage(browser, local.url)
    const { page, faults } = watched
    await page.goto(`${local.url}/audit/viewer?tenant=many`)
    await rows(page).nth(19).waitFor()
    expect(await texts(page)).toContain('compliance: a performed the action step.n30')
    await page.getByText('Older').click()
    await expect.poll(async () => await texts(page)).toContain('tenant.created')
    expect(await texts(page)).toContain('step.n0')
    await page.getByText('Newer').click()
    await expect.poll(async () => await texts(page)).toContain('step.n30')

    await page.getByPlaceholder(/search/i).fill('action:step.n3*')
    await page.keyboard.press('Enter')
    await expect.poll(async () => await rows(page).count()).toBe(2)
    await page.getByTestId('export-events').click()
    await page.getByRole('button', { name: 'Export', exact: true }).click()
    await page.getByPlaceholder('Release 1.0.0').fill('What happened')
    const downloading = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Name & Save' }).click()
    const download = await downloading
    expect(download.suggestedFilename()).toBe('What_happened.csv')
    const [head, ...lines] = (await readFile(await download.path(), 'utf8')).trim().split('\n')
    expect(head).toMatch(/^id,action,crud,.*,product,environment$/)
    expect(lines.map((line) => [line.split(',')[1], ...line.split(',').slice(-2)])).toEqual([
      ['step.n30', 'compliance', 'live'],
      ['step.n3', 'certifai', 'live'],
    ])
    // Of a whole log there are no enterprise tokens, so nothing offers any.
    expect(await page.getByTestId('manage-api-tokens').isVisible()).toBe(false)
    expect(faults).toEqual([])
  })

  test('a session that is over says so, whatever is asked, and is opened again', async () => {
    await using watched = await watchedPage(browser, local.url)
    const { page, faults } = watched
    await page.goto(`${local.url}/audit/viewer?tenant=acme&product=compliance`)
    await rows(page).first().waitFor()
    await endAll(local)
    await page.getByPlaceholder(/search/i).fill('anything')
    await page.keyboard.press('Enter')
    await isShown(page, 'The session is over. Open the log again to go on.')
    await shoot(page, 'support-over')
    await page.getByRole('button', { name: 'Open the log' }).click()
    await rows(page).first().waitFor()
    expect(await page.getByLabel('Product').inputValue()).toBe('compliance')

    await endAll(local)
    await page.getByTestId('export-events').click()
    await isShown(page, 'The session is over. Open the log again to go on.')
    expect(faults).toEqual([])
  })

  test('an admin of a group makes an enterprise token and takes it away', async () => {
    const key = await local.publisherKey()
    const link = `${local.url}/audit/viewer#token=${await clientOf(local, key).getViewerToken(acme, 'jane', true)}`
    await using watched = await watchedPage(browser, local.url)
    const { page, faults } = watched
    await page.goto(link)
    await rows(page).first().waitFor()
    // What a product hands on has its own events alone, and does not say of which product they are.
    expect(await texts(page)).toContain('Ann performed the action deal.closed')
    expect(await texts(page)).not.toMatch(/certifai|report\.shared|tenant\.created/)
    await page.getByTestId('manage-api-tokens').click()
    await page.getByRole('button', { name: 'Create new token' }).click()
    await page.getByPlaceholder('Token Name').fill('SIEM')
    await page.getByRole('button', { name: 'Create Token' }).click()
    await page.locator('.TableRow-wrapper', { hasText: 'SIEM' }).waitFor()
    // The viewer itself shows ids alone: nobody would ever have the token.
    const token = await page.getByRole('status').locator('code').innerText()
    await shoot(page, 'enterprise-token')
    const search = { query: '{ search(query: "") { totalCount } }' }
    const opened = await local.ask('POST', '/enterprise/v1/graphql', token, { json: search })
    expect(opened.body.data.search.totalCount).toBeGreaterThan(0)
    await page.getByRole('button', { name: 'I have it' }).click()
    await expect.poll(async () => await page.getByRole('status').innerText()).toBe('')
    const kept = async () =>
      await local.query(
        `select token.display_name from registry.audit_enterprise_tokens token
         join api_keys key on key.id = token.api_key_id and key.revoked_at is null`,
      )
    expect(await kept()).toEqual([{ display_name: 'SIEM' }])
    await page.locator('.u-deleteTokenIcon').click()
    await page.getByRole('button', { name: 'Yes' }).click()
    await isShown(page, 'You have not created any API tokens')
    expect(await kept()).toEqual([])
    expect(faults).toEqual([])
  })
})

describe.skipIf(executable === undefined)('where the server asks who somebody is', () => {
  let browser: Browser
  let tenant: TenantId
  beforeAll(async () => {
    browser = await startChromium(executable ?? '')
    tenant = await aTenant(guarded, 'initech', 'Initech')
  })
  afterAll(() => browser?.close())

  const access = async (claims: Claims) => await provider.accessToken({ claims })

  test('an access token opens the log, is written nowhere, and opens it again when the session is over', async () => {
    await using watched = await watchedPage(browser, guarded.url)
    const { page, faults } = watched
    await page.goto(`${guarded.url}/audit/viewer?tenant=initech`)
    // Asked for without any token first: that nobody said who they are is no mistake to tell them of.
    expect(await page.getByLabel('Tenant, by its slug or id').inputValue()).toBe('initech')
    expect(await page.getByRole('alert').innerText()).toBe('')
    await page.getByLabel('Your access token').fill(await access(operatorClaims('platform-support')))
    await page.getByRole('button', { name: 'Open the log' }).click()
    await rows(page).first().waitFor()
    expect(await texts(page)).toContain('tenant.created')
    expect(await page.getByLabel('Product').locator('option').count()).toBeGreaterThan(2)
    const kept = await page.evaluate(
      'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, history.state, location.href])',
    )
    expect(kept).toBe(JSON.stringify([{}, {}, '', null, `${guarded.url}/audit/viewer?tenant=initech`]))

    await endAll(guarded)
    await page.getByPlaceholder(/search/i).fill('anything')
    await page.keyboard.press('Enter')
    await isShown(page, 'The session is over. Open the log again to go on.')
    await page.getByRole('button', { name: 'Open the log' }).click()
    await rows(page).first().waitFor()
    await page.getByRole('button', { name: 'Close' }).click()
    await page.getByRole('button', { name: 'Open the log' }).click()
    await isShown(page, 'Credentials are required')
    expect(faults).toEqual([])
    const viewed = await guarded.query(
      `select distinct actor_id from audit_log where stream_id = '${tenant}' and action = 'audit.viewed'`,
    )
    expect(viewed).toEqual([{ actor_id: 'someone-platform-support' }])
  })

  test('whoever is of a tenant is told that this is not for them', async () => {
    await using watched = await watchedPage(browser, guarded.url)
    const { page, faults } = watched
    await page.goto(`${guarded.url}/audit/viewer?tenant=initech`)
    await page.getByLabel('Your access token').fill(await access(memberClaims({ own: [tenant, 'tenant-admin'] })))
    await page.getByRole('button', { name: 'Open the log' }).click()
    await isShown(page, 'Your role does not include audit:view.')
    expect(await rows(page).count()).toBe(0)
    expect(faults).toEqual([])
  })
})
