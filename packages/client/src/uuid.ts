const uuid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i

/** Whether the registry would take a text for an id. */
export function isUuid(text: string): boolean {
  return uuid.test(text)
}
