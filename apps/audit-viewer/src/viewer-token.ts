/** Where the viewer API is: on the server that the page comes from. */
export const viewerApi = '/audit/viewer/v1'

const form = /^[0-9a-f]{32}$/

/** The page's own questions: what `watchSession` puts in the place of `fetch` is for the viewer alone. */
const ask = globalThis.fetch.bind(globalThis)

/** The viewer token in a text that somebody pasted: the token itself, or the whole link to this page. */
export function viewerTokenIn(text: string): string | undefined {
  const token = text.trim().replace(/^.*#token=/s, '')
  return form.test(token) ? token : undefined
}

/**
 * Takes the viewer token out of the page's address. It stands in the fragment, which no browser sends to anybody, and is
 * gone from there before anything else happens: neither the history nor a bookmark has it.
 */
export function takeViewerToken(location: Location, history: History): string | undefined {
  const { hash, pathname } = location
  if (hash === '') return undefined
  history.replaceState(null, '', pathname)
  return viewerTokenIn(hash)
}

/**
 * Asks whether a viewer token opens anything now: the viewer itself would wait for ever with one that does not.
 * @throws {Error} with what to tell, when it does not
 */
export async function assertOpens(token: string): Promise<void> {
  const response = await ask(`${viewerApi}/viewersession`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ token }),
  })
  if (response.ok) return
  if (response.status === 401) throw new Error('This viewer token is over, or never was one.')
  throw new Error(`The server answers ${response.status}. Try again later.`)
}
