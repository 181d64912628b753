import { urlPrefix } from './url.ts'

/** How one request is made. What is not given is as the client has it. */
export interface RequestOptions {
  /** Stops the request, and all that would follow it. */
  readonly signal?: AbortSignal | undefined
  /** How long one attempt may take, in milliseconds. 10 seconds unless told. */
  readonly timeoutMs?: number | undefined
  /** How long all attempts and the pauses between them may take, in milliseconds. 60 seconds unless told. */
  readonly deadlineMs?: number | undefined
  /** How many times a request that failed is sent again, where that is safe. 2 unless told. */
  readonly retries?: number | undefined
  /** Headers to send along, such as `traceparent` or `X-Request-Id`. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** How one request is made that reads something which has an ETag. */
export interface ReadOptions extends RequestOptions {
  /** The `etag` of what you have: if it is still that, the answer is `notModified`. */
  readonly ifNoneMatch?: string | undefined
}

/** How one request is made that changes something. */
export interface ChangeOptions extends RequestOptions {
  /** Identifies the change over all attempts, yours included. Made for you unless you choose one. */
  readonly idempotencyKey?: string | undefined
}

/** How one request is made that changes something which has a version. */
export interface VersionOptions extends RequestOptions {
  /** Change it only if it still has this version, or is what this `etag` was given for. */
  readonly ifMatch?: number | string | undefined
}

/** How one request is made that gives something, or replaces it. */
export interface PutOptions extends VersionOptions {
  /** `*`: give it only if it is not there yet. */
  readonly ifNoneMatch?: '*' | undefined
}

/** How a client behaves. */
export interface TenantClientOptions {
  /** Where the registry is, such as `https://tenant-registry.breakpilot.com`. */
  readonly baseUrl: string | URL
  /** An access token that outlives the client, or an API key of the registry's own. */
  readonly token?: string | undefined
  /** Asked for an access token before every attempt; keep the token for as long as it is good. */
  readonly getToken?: ((context: { readonly signal: AbortSignal }) => string | Promise<string>) | undefined
  /** Used instead of the platform's `fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined
  /** How long one attempt may take, in milliseconds. 10 seconds unless told. */
  readonly timeoutMs?: number | undefined
  /** How long all attempts and the pauses between them may take, in milliseconds. 60 seconds unless told. */
  readonly deadlineMs?: number | undefined
  /** How many times a request that failed is sent again, where that is safe. 2 unless told. */
  readonly retries?: number | undefined
}

/** How a client behaves, checked and complete. */
export interface Settings {
  readonly urlPrefix: string
  readonly authorization: (signal: AbortSignal) => Promise<string | undefined>
  readonly fetch: typeof globalThis.fetch
  readonly timeoutMs: number
  readonly deadlineMs: number
  readonly retries: number
}

/**
 * Checks what a client is made with.
 * @throws {TypeError} when it makes no sense
 */
export function settingsOf(options: TenantClientOptions): Settings {
  return {
    urlPrefix: urlPrefix(options.baseUrl),
    authorization: authorizationOf(options),
    // Looked up when it is used, so that whoever instruments the platform's fetch later on is not left out; and called
    // without a receiver, which browsers insist on.
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    ...limitsOf(options, { timeoutMs: 10_000, deadlineMs: 60_000, retries: 2 }),
  }
}

/**
 * The limits of a request, where they are not given, those of the client.
 * @throws {TypeError} when one makes no sense
 */
export function limitsOf(
  given: Pick<RequestOptions, 'timeoutMs' | 'deadlineMs' | 'retries'>,
  otherwise: Pick<Settings, 'timeoutMs' | 'deadlineMs' | 'retries'>,
): Pick<Settings, 'timeoutMs' | 'deadlineMs' | 'retries'> {
  return {
    timeoutMs: inRange('timeoutMs', 1, given.timeoutMs ?? otherwise.timeoutMs),
    deadlineMs: inRange('deadlineMs', 1, given.deadlineMs ?? otherwise.deadlineMs),
    retries: inRange('retries', 0, given.retries ?? otherwise.retries),
  }
}

// A timer that is set to more than this, or to no number, goes off at once.
const timerMsMax = 2 ** 31 - 1

/** @throws {TypeError} when the value is out of range, or no number */
export function inRange(name: string, min: number, value: number): number {
  if (value >= min && value <= timerMsMax) return value
  throw new TypeError(`${name} has to be a number from ${min} to ${timerMsMax}, not ${value}`)
}

/** An access token and a key of the registry's own are sent alike. */
function authorizationOf({ token, getToken }: TenantClientOptions): Settings['authorization'] {
  if (token !== undefined && getToken !== undefined) throw new TypeError('give either token or getToken, not both')
  if (getToken !== undefined) {
    return async (signal) => {
      const got: unknown = await getToken({ signal })
      if (typeof got !== 'string') throw new TypeError('getToken gave no token')
      return bearer(got)
    }
  }
  const fixed = token === undefined ? undefined : bearer(token)
  return async () => fixed
}

/** The platform would repeat a token that no header may have in its error, and from there it gets into logs. */
function bearer(token: string): string {
  const trimmed = token.trim()
  if (/^[\x21-\x7e]+$/.test(trimmed)) return `Bearer ${trimmed}`
  throw new TypeError('the token is empty, or has characters in it that no token has')
}
