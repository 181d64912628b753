import { viewerApi } from './viewer-token.ts'

/** An enterprise token that was just made: nothing shows it again. */
export interface MadeToken {
  readonly token: string
  readonly name: string
}

interface Watch {
  /** Hears of every request that was not let in, but of searches, of which the viewer tells by itself. */
  readonly onRefused: () => void
  /** Hears why something else was not done, in the server's words: the viewer keeps that to itself. */
  readonly onFailed: (why: string) => void
  readonly onToken: (made: MadeToken) => void
}

/** What nobody is to hear of any more. */
const never = new Promise<never>(() => undefined)

/**
 * Stands between a viewer and the server as long as that viewer is shown, and does what it does not do by itself.
 *
 * - What comes too late gets no answer: every viewer of a page keeps what it knows in one place, so that an answer to one
 *   that is gone would be shown by the next, and an answer to an earlier search as the result of a later one.
 * - It asks for its session twice, and would search once for each: the second time has the first one's answer.
 * - Of an export that is not let in it would save the error as a file, or wait for ever, and a token that was made it
 *   throws away. What is not let in gets no answer: what waits for one is about to go.
 * - A file that cannot be had it would save all the same, with the error in it; and of a search that cannot be saved it would
 *   say for ever that it exports. Both come to the end that it knows, and to no file. What else fails it writes to the
 *   console, where nobody looks.
 * @returns ends it
 */
export function watchSession({ onRefused, onFailed, onToken }: Watch): () => void {
  const plain = globalThis.fetch
  let isOver = false
  let searches = 0
  let session: Promise<Response> | undefined

  /** Asks, and tells when nobody answers. */
  const asked: typeof fetch = async (input, init) =>
    await plain(input, init).catch((error: unknown) => {
      if (!isOver) onFailed('The server does not answer')
      throw error
    })

  const opened = async (input: string, init: RequestInit | undefined): Promise<Response> => {
    const response = await asked(input, init).catch(async () => await never)
    if (response.ok) return response
    // Of a session that is none it would make one without a token, and wait for ever.
    const why = await reasonIn(response)
    if (!isOver && response.status === 401) onRefused()
    else if (!isOver) onFailed(why)
    return await never
  }

  const watched: typeof fetch = async (input, init) => {
    if (typeof input !== 'string' || !input.startsWith(`${viewerApi}/`)) return await plain(input, init)
    if (input === `${viewerApi}/viewersession`) {
      session ??= opened(input, init)
      return whileWanted((await session).clone(), () => !isOver)
    }
    if (input.startsWith(`${viewerApi}/graphql`)) {
      const search = ++searches
      return whileWanted(await asked(input, init), () => !isOver && search === searches)
    }
    if (input.endsWith(`/${unsaved}/rendered`)) return noFile()
    const failed = input.endsWith('/rendered') ? noFile : isSaving(input, init) ? notSaved : undefined
    const response = await asked(input, init).catch((error: unknown) => {
      if (failed) return failed()
      throw error
    })
    if (response.status === 401) {
      if (!isOver) onRefused()
      return await never
    }
    if (!response.ok) {
      const why = await reasonIn(response.clone())
      if (!isOver) onFailed(why)
      if (failed) return failed()
    }
    if (init?.method === 'POST' && input.endsWith('/eitapi_token') && response.ok) {
      const made = (await response.clone().json()) as { id: string; display_name: string }
      onToken({ token: made.id, name: made.display_name })
    }
    return whileWanted(response, () => !isOver)
  }

  globalThis.fetch = watched
  return () => {
    isOver = true
    if (globalThis.fetch === watched) globalThis.fetch = plain
  }
}

/** What stands for the id of a search that was not saved. */
const unsaved = 'unsaved'

const isSaving = (input: string, init: RequestInit | undefined) => init?.method === 'POST' && input.endsWith('/export')

const notSaved = () => Response.json({ id: unsaved })

/** What the viewer takes for a file, and then makes none of: it clicks on a link to it, and that click is taken back. */
function noFile(): Response {
  const blob = async () => {
    // The click comes before anybody else's could.
    document.addEventListener('click', takeBack, { capture: true, once: true })
    return await Promise.resolve(new Blob())
  }
  return Object.assign(new Response(), { blob })
}

function takeBack(event: Event): void {
  if (event.target instanceof HTMLAnchorElement && event.target.download !== '') event.preventDefault()
}

/** Why the server refuses something, as it says itself. */
async function reasonIn(response: Response): Promise<string> {
  const body = (await response.json().catch(() => undefined)) as { error?: unknown } | undefined
  return typeof body?.error === 'string' ? body.error : `The server answers ${response.status}`
}

/** The response, of which nobody has the JSON once it is not wanted any more. */
function whileWanted(response: Response, isWanted: () => boolean): Response {
  const read = response.json.bind(response)
  const json = async () => {
    const body: unknown = await read()
    return isWanted() ? body : await never
  }
  return Object.assign(response, { json })
}
