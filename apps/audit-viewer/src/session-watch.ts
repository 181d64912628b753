import { viewerApi } from './viewer-token.ts'

/** An enterprise token that was just made: nothing shows it again. */
export interface MadeToken {
  readonly token: string
  readonly name: string
}

interface Watch {
  /** Hears of every request that was not let in, but of searches, of which the viewer tells by itself. */
  readonly onRefused: () => void
  readonly onToken: (made: MadeToken) => void
}

/**
 * Hears what the viewer is answered, where it would not tell: of an export that is not let in it would save the error as
 * a file, or wait for ever, and a token that was made it throws away. What is not let in gets no answer: what waits for
 * one is about to go.
 * @returns ends it
 */
export function watchSession({ onRefused, onToken }: Watch): () => void {
  const plain = globalThis.fetch
  const watched: typeof fetch = async (input, init) => {
    const response = await plain(input, init)
    if (typeof input !== 'string' || !input.startsWith(`${viewerApi}/project/`)) return response
    if (response.status === 401) {
      onRefused()
      return await new Promise<never>(() => undefined)
    }
    if (init?.method === 'POST' && input.endsWith('/eitapi_token') && response.ok) {
      const made = (await response.clone().json()) as { id: string; display_name: string }
      onToken({ token: made.id, name: made.display_name })
    }
    return response
  }
  globalThis.fetch = watched
  return () => {
    if (globalThis.fetch === watched) globalThis.fetch = plain
  }
}
