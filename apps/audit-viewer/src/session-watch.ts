import { viewerApi } from './viewer-token.ts'

/**
 * Hears of every request of the viewer's that is not let in, but of searches, of which the viewer tells by itself: it
 * would save the error as a file, or wait for ever. It gets no answer: what waits for one is about to go.
 * @returns ends it
 */
export function watchSession(onRefused: () => void): () => void {
  const plain = globalThis.fetch
  const watched: typeof fetch = async (input, init) => {
    const response = await plain(input, init)
    if (response.status !== 401 || !isWatched(input)) return response
    onRefused()
    return await new Promise<never>(() => undefined)
  }
  globalThis.fetch = watched
  return () => {
    if (globalThis.fetch === watched) globalThis.fetch = plain
  }
}

const isWatched = (input: RequestInfo | URL) => typeof input === 'string' && input.startsWith(`${viewerApi}/project/`)
