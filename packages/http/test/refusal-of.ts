import { RegistryError } from '@breakpilot/tenant-core'

/** The error with which something is refused. Fails when it is not refused, or with an error that is not for callers. */
export async function refusalOf(attempt: () => unknown): Promise<RegistryError> {
  let result: unknown
  try {
    result = await attempt()
  } catch (error) {
    if (error instanceof RegistryError) return error
    throw error
  }
  throw new Error(`expected a refusal, got ${JSON.stringify(result)}`)
}
