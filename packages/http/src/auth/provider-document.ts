const documentBytesMax = 262_144

/**
 * Fetches a JSON document of the identity provider. Redirects are not followed: they would move the question of whom to
 * trust from the configuration to whoever answers.
 * @throws {Error} when there is no answer in time, or one that is not 200, JSON and at most 256 KiB. The message names
 * the address and is for the log only.
 */
export async function fetchProviderDocument(url: string, signal: AbortSignal): Promise<unknown> {
  try {
    const response = await fetch(url, { signal, redirect: 'error', headers: { accept: 'application/json' } })
    if (response.status !== 200) {
      await response.body?.cancel()
      throw new Error(`status ${response.status}`)
    }
    return JSON.parse(await boundedText(response)) as unknown
  } catch (error) {
    throw new Error(`GET ${url}: ${reasonOf(error)}`, { cause: error })
  }
}

async function boundedText(response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  // Leaving the loop early cancels the body, so an endless answer ends here.
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > documentBytesMax) throw new Error(`answer longer than ${documentBytesMax} bytes`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

/** `fetch failed` says nothing; what failed is in its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown failure'
  return error.cause instanceof Error ? error.cause.message : error.message
}
