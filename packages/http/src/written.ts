import type { z } from 'zod'

/**
 * A response whose JSON its handler writes: what is written while it is read from the database takes a part of the time
 * that objects take, and keeps the members of maps in an order that objects cannot keep.
 */
export interface Written<Schema extends z.ZodType = z.ZodType> {
  readonly kind: 'written'
  readonly schema: Schema
}

/** Writes down a response that its handler writes as JSON, and what that looks like. */
export function written<Schema extends z.ZodType>(schema: Schema): Written<Schema> {
  return { kind: 'written', schema }
}

export const isWritten = (response: object): response is Written => 'kind' in response && response.kind === 'written'
