const ids = '(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}'
// Version 00 ends here. A later one may go on, and `ff` is none.
const traceparent = new RegExp(`^(?:00-${ids}|(?!00|ff)[0-9a-f]{2}-${ids}(?:-.*)?)$`)

/** The id of the trace that a request belongs to, when it says so: https://www.w3.org/TR/trace-context/ */
export function traceId(header: string | string[] | undefined): string | undefined {
  if (typeof header !== 'string') return undefined
  const [, now, later] = traceparent.exec(header) ?? []
  return now ?? later
}
