import { RegistryError } from '@breakpilot/tenant-core'
import type { z } from 'zod'
import { parseJson } from './json.ts'
import { validate } from './validate.ts'

/** The media type of JSON documents, one in each line. */
export const ndjson = 'application/x-ndjson'

/** A body of JSON documents, one in each line. What is wrong with a line is wrong with that line alone. */
export interface Lines<Row extends z.ZodType = z.ZodType> {
  readonly kind: 'lines'
  readonly row: Row
  readonly linesMax: number
  readonly bytesMax: number
}

/** A line of a body: what it holds, or what is wrong with it. Numbers begin at 1. */
export type Line<Row> = { readonly line: number } & ({ readonly row: Row } | { readonly error: RegistryError })

/** Writes down a body of lines. */
export function lines<Row extends z.ZodType>(row: Row, bounds: { linesMax: number; bytesMax: number }): Lines<Row> {
  return { kind: 'lines', row, ...bounds }
}

/** A response of JSON documents, one in each line. */
export interface Rows<Row extends z.ZodType = z.ZodType> {
  readonly kind: 'rows'
  readonly row: Row
}

/** Writes down a response of lines. */
export function rows<Row extends z.ZodType>(row: Row): Rows<Row> {
  return { kind: 'rows', row }
}

export const isLines = (body: z.ZodType | Lines): body is Lines => 'kind' in body && body.kind === 'lines'
export const isRows = (response: z.ZodType | { readonly kind: string }): response is Rows =>
  'kind' in response && response.kind === 'rows'

/**
 * Reads a text as lines, each as strictly as a body of its own. Blank lines count as lines and say nothing.
 * @throws {RegistryError} `request.body_too_large` for more lines than there may be
 */
export function parseLines<Row extends z.ZodType>(whole: string, { row, linesMax }: Lines<Row>): Line<z.output<Row>>[] {
  const texts = whole.split('\n')
  if (texts.at(-1) === '') texts.pop()
  if (texts.length > linesMax) {
    const detail = `It has ${texts.length} lines; ${linesMax} are the most.`
    throw new RegistryError('request.body_too_large', { detail })
  }
  return texts.flatMap((text, index): Line<z.output<Row>>[] => {
    const line = index + 1
    if (text.trim() === '') return []
    try {
      return [{ line, row: validate(row, parseJson(text), '') }]
    } catch (error) {
      if (error instanceof RegistryError) return [{ line, error }]
      throw error
    }
  })
}

/** JSON documents as lines. */
export const toLines = (documents: readonly unknown[]) => documents.map((each) => `${JSON.stringify(each)}\n`).join('')
