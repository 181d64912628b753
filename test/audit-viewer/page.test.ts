import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { createTenant, NewTenant, NewTenantProduct, putTenantProduct, type TenantId } from '@breakpilot/tenant-core'
import { parse } from 'papaparse'
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
const counted = async (page: Page, text: string) => await page.getByText(text, { exact: true }).waitFor()

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
})
void [readFile, parse, counted]
