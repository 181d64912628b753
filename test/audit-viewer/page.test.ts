import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { createTenant, NewTenant, NewTenantProduct, putTenantProduct, type TenantId } from '@breakpilot/tenant-core'
import { Client } from 'pg'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { keyCatalogue, testActor } from '../builders.ts'
import { clientOf, startWire, type Wire } from '../retraced/wire.ts'
import { chromiumPath, startChromium, watchedPage } from './chromium.ts'

const executable = chromiumPath()
const root = resolve(import.meta.dirname, '../..')
if (executable === undefined) {
  console.warn('The page of the audit viewer is not tried in a browser: CHROMIUM_PATH names none, and none was found.')
}

let wire: Wire
let key: string
let acme: TenantId

beforeAll(async () => {
  if (executable === undefined) return
  await promisify(execFile)(process.execPath, [resolve(root, 'apps/audit-viewer/build.ts')])
  wire = await startWire()
  key = await wire.publisherKey()
  const tenant = NewTenant.parse({ slug: 'acme', name: 'Acme Inc.', status: 'active', plan: 'professional' })
  acme = (await createTenant(wire.db, testActor, keyCatalogue, tenant)).id
  await putTenantProduct(wire.db, testActor, keyCatalogue, acme, 'certifai', NewTenantProduct.parse({}))
})
afterAll(() => wire?.stop())

const publish = async (...events: object[]) => {
  const { status } = await wire.ask('POST', '/publisher/v1/project/certifai/event/bulk', key, { json: { events } })
  expect(status).toBe(201)
}

const linkFor = async (group: string, isAdmin = true) =>
  `${wire.url}/audit/viewer#token=${await clientOf(wire, key).getViewerToken(group, 'jane', isAdmin)}`

/** The rows of the table, once there is what is waited for. */
const rows = (page: Page) => page.locator('.TableRow-wrapper')

describe.skipIf(executable === undefined)('in a browser', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await startChromium(executable ?? '')
  })
  afterAll(() => browser?.close())

  test('a link shows the log of the tenant, and the token is gone from the address', async () => {
    await publish(
      { action: 'deal.closed', crud: 'c', actor: { id: 'a', name: 'Ann' }, group: { id: acme }, description: 'Sold' },
      { action: 'deal.other', crud: 'c', actor: { id: 'a' }, group: { id: 'globex' } },
    )
    await using watched = await watchedPage(browser, wire.url)
    const { page, faults } = watched
    const link = await linkFor(acme)
    await page.goto(link)
    await rows(page).first().waitFor()
    expect(await rows(page).allInnerTexts()).toEqual([expect.stringContaining('deal.closed')])
    expect(page.url()).toBe(`${wire.url}/audit/viewer`)
    if (process.env['SHOTS']) await page.screenshot({ path: `${process.env['SHOTS']}/list.png` })
    expect(faults).toEqual([])
    const token = link.split('=')[1] ?? ''
    expect(JSON.stringify(wire.log)).not.toContain(token)
  })

  test('an export that cannot be had is no file, and whoever wants it reads why', async () => {
    await publish({ action: 'export.asked', crud: 'c', actor: { id: 'a', name: 'Ann' }, group: { id: 'hooli' } })
    const owner = new Client({ connectionString: wire.database.ownerUrl })
    await owner.connect()
    try {
      await using watched = await watchedPage(browser, wire.url)
      const { page, faults } = watched
      let downloads = 0
      page.on('download', () => {
        downloads += 1
      })
      await page.goto(await linkFor('hooli'))
      await rows(page).first().waitFor()
      await owner.query(`alter table audit_log add constraint no_looks check (action <> 'audit.log.view') not valid`)
      await page.getByTestId('export-events').click()
      await page.getByRole('button', { name: 'Export', exact: true }).click()
      await page.getByPlaceholder('Release 1.0.0').fill('What happened')
      await page.getByRole('button', { name: 'Name & Save' }).click()
      const alert = page.getByRole('alert').filter({ hasText: 'Something went wrong on our side' })
      await alert.waitFor()
      expect(downloads).toBe(0)
      if (process.env['SHOTS']) await page.screenshot({ path: `${process.env['SHOTS']}/no-file.png` })
      await alert.getByRole('button', { name: 'Close' }).click()
      await alert.waitFor({ state: 'detached' })

      // Nor is a search that cannot be saved; and once it works again, it works here.
      await owner.query(`alter table audit_log drop constraint no_looks`)
      await owner.query(
        `alter table registry.audit_exports add constraint no_saves check (name <> 'Refused') not valid`,
      )
      const saveAs = async (name: string) => {
        await page.getByRole('button', { name: 'Export', exact: true }).click()
        await page.getByPlaceholder('Release 1.0.0').fill(name)
        await page.getByRole('button', { name: 'Name & Save' }).click()
      }
      await saveAs('Refused')
      await alert.waitFor()
      await alert.getByRole('button', { name: 'Close' }).click()
      await alert.waitFor({ state: 'detached' })
      expect(downloads).toBe(0)
      const coming = page.waitForEvent('download')
      await saveAs('Saved')
      expect((await coming).suggestedFilename()).toBe('Saved.csv')
      expect(faults).toEqual([])
    } finally {
      await owner.query('alter table registry.audit_exports drop constraint if exists no_saves')
      await owner.query('alter table audit_log drop constraint if exists no_looks')
      await owner.end()
    }
  })

  test('a search finds what happened, and a token that is over opens nothing', async () => {
    await publish(
      { action: 'report.opened', crud: 'u', actor: { id: 'b', name: 'Bob' }, group: { id: 'initech' } },
      { action: 'report.shared', crud: 'u', actor: { id: 'c', name: 'Cleo' }, group: { id: 'initech' } },
    )
    await using watched = await watchedPage(browser, wire.url)
    const { page, asked, faults } = watched
    await page.goto(await linkFor('initech'))
    await rows(page).nth(1).waitFor()
    await page.getByPlaceholder(/search/i).fill('action:report.shared')
    await page.keyboard.press('Enter')
    await expect.poll(async () => await rows(page).count()).toBe(1)
    expect(await rows(page).allInnerTexts()).toEqual([expect.stringContaining('report.shared')])
    expect(new Set(asked.map((each) => each.replace(/\?.*$/, '')))).toEqual(
      new Set([
        'GET /audit/viewer',
        'GET /audit/viewer/viewer.css',
        'GET /audit/viewer/viewer.js',
        'POST /audit/viewer/v1/viewersession',
        'POST /audit/viewer/v1/graphql',
      ]),
    )
    await page.goto(`${wire.url}/audit/viewer#token=${'0'.repeat(32)}`)
    await page.getByText('This viewer token is over, or never was one.').waitFor()
    expect(faults).toEqual([])
  })
})

describe('the page', () => {
  test('is under a policy that lets it talk to nobody else', async () => {
    const server = await startWire()
    try {
      const { status, headers } = await server.call('GET', '/audit/viewer')
      // Where nobody has built it, it says so.
      expect([200, 503]).toContain(status)
      expect(headers.get('content-security-policy')).toContain("default-src 'none'")
      expect(headers.get('content-security-policy')).toContain("connect-src 'self'")
      expect(await server.call('POST', '/audit/viewer')).toMatchObject({ status: 405 })
    } finally {
      await server.stop()
    }
  })
})
