import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'

/** Where a Chromium is, if there is one: `CHROMIUM_PATH`, or where Debian and Ubuntu put theirs. */
export function chromiumPath(): string | undefined {
  const named = process.env['CHROMIUM_PATH']
  if (named) {
    if (!existsSync(named)) throw new Error(`CHROMIUM_PATH: there is nothing at ${named}`)
    return named
  }
  return ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path))
}

/** Starts it. It keeps nothing of what it sees. */
export async function startChromium(executablePath: string): Promise<Browser> {
  // Who runs as root, as in a container, has no sandbox to put it in.
  return await chromium.launch({ executablePath, chromiumSandbox: process.getuid?.() !== 0 })
}

/** A page, and what it did that it must not do. */
export interface WatchedPage extends AsyncDisposable {
  readonly page: Page
  /** The addresses that it asked, in their order: method and path. */
  readonly asked: readonly string[]
  /** Requests to anybody but our server, breaches of the policy, errors that nobody caught. */
  readonly faults: readonly string[]
}

/** Opens an empty page in a context of its own: wide enough for the viewer's table. */
export async function watchedPage(browser: Browser, origin: string): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, locale: 'en-GB' })
  const page = await context.newPage()
  const asked: string[] = []
  const faults: string[] = []
  context.on('request', (request) => {
    const url = new URL(request.url())
    if (url.protocol === 'data:' || url.protocol === 'blob:') return
    if (url.origin === origin) asked.push(`${request.method()} ${url.pathname}${url.search}`)
    else faults.push(`asked ${request.url()}`)
  })
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`))
  page.on('console', (message) => {
    if (/Content.Security.Policy/i.test(message.text())) faults.push(message.text())
  })
  return {
    page,
    asked,
    faults,
    async [Symbol.asyncDispose]() {
      await context.close()
    },
  }
}
