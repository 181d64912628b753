import { z } from 'zod'

/** What to do about an answer that does not fit its schema: an error of ours, whatever the caller sent. */
export type OnMisfit = 'throw' | ((error: unknown) => void)

/**
 * Makes an answer of a result: encoded by its schema, which also strips what must not leave. In production an answer
 * that does not fit is reported and sent with the known fields only, since a fault in a description should not take
 * a working answer away.
 * @throws {z.core.$ZodError} when the result does not fit and `onMisfit` is `throw`
 */
export function encode(schema: z.ZodType, result: unknown, onMisfit: OnMisfit): unknown {
  if (onMisfit === 'throw') return z.encode(schema, result)
  try {
    return z.encode(schema, result)
  } catch (error) {
    onMisfit(error)
    return strip(schema, result)
  }
}

/** The fields that the schema knows, as they are. What it says nothing about does not leave. */
function strip(schema: unknown, value: unknown): unknown {
  if (value === null || value === undefined || value instanceof Date) return value
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodReadonly) {
    return strip(schema.unwrap(), value)
  }
  if (schema instanceof z.ZodArray && Array.isArray(value)) return value.map((each) => strip(schema.element, each))
  if (typeof value !== 'object') return value
  // What may hold anything was never going to be stripped, and one of several shapes is the first that fits.
  if (schema instanceof z.ZodUnknown || schema instanceof z.ZodAny) return value
  if (schema instanceof z.ZodUnion) {
    const fitting = schema.options.find((option) => z.safeEncode(option as z.ZodType, value).success)
    return strip(fitting ?? schema.options[0], value)
  }
  const fields = new Map<string, unknown>(Object.entries(value))
  if (schema instanceof z.ZodRecord) {
    return Object.fromEntries([...fields].map(([name, field]) => [name, strip(schema.valueType, field)]))
  }
  if (!(schema instanceof z.ZodObject)) return undefined
  return Object.fromEntries(
    Object.entries(schema.shape).flatMap(([name, field]) =>
      fields.has(name) ? [[name, strip(field, fields.get(name))]] : [],
    ),
  )
}
