/**
 * The key that a request comes with: in `Authorization: Bearer`, else in `X-API-Key`. Never one of the query: addresses
 * are logged.
 */
export function keyIn(header: (name: string) => string | null | undefined): string | undefined {
  const [, bearer] = /^bearer +(\S+) *$/i.exec(header('authorization') ?? '') ?? []
  return bearer ?? (header('x-api-key')?.trim() || undefined)
}
