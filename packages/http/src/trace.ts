const traceparent = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/

/** The id of the trace that a request belongs to, when it says so: https://www.w3.org/TR/trace-context/ */
export function traceId(header: string | string[] | undefined): string | undefined {
  if (typeof header !== 'string' || header.startsWith('ff')) return undefined
  return traceparent.exec(header)?.[1]
}
