import { z } from 'zod'
import type { Actor } from '../audit/actor.ts'
import { oneTransaction, rehearse } from '../audit/one-transaction.ts'
import type { Db } from '../db/handles.ts'
import { type ErrorCode, RegistryError } from '../errors.ts'
import type { Catalogue } from '../products/catalogue.ts'
import { assignProduct } from '../products/tenant-product.service.ts'
import { createTenant } from './tenant.service.ts'
import type { ImportedTenant } from './tenant.ts'

/** How much one import may hold. */
export const importBounds = { linesMax: 1_000, bytesMax: 2 * 1024 * 1024 } as const

/** What became of a line. */
export const ImportResult = z
  .object({
    line: z.int().meta({ description: 'The number of the line, from 1.', examples: [1] }),
    outcome: z.enum(['created', 'refused']).meta({ description: 'What became of it.', examples: ['created'] }),
    id: z
      .string()
      .nullable()
      .meta({ description: 'The id of the tenant that was made.', examples: ['00000000-0000-0000-0000-000000000001'] }),
    slug: z
      .string()
      .nullable()
      .meta({ description: 'The slug of the line, where it could be read.', examples: ['acme'] }),
    code: z
      .string()
      .nullable()
      .meta({ description: 'Why it was refused: a code of the published table.', examples: [null] }),
    detail: z
      .string()
      .nullable()
      .meta({ description: 'Why it was refused, for people.', examples: [null] }),
    errors: z
      .array(
        z.object({
          pointer: z.string().meta({ description: 'Where in the line: a JSON pointer.' }),
          code: z.string().meta({ description: 'What is wrong, in one word.' }),
          message: z.string().meta({ description: 'What is wrong, for people.' }),
        }),
      )
      .meta({ description: 'Everything that is wrong with the line.', examples: [[]] }),
  })
  .meta({ id: 'ImportResult', description: 'What became of a line of an import.' })
export type ImportResult = z.output<typeof ImportResult>

/** A line as it was read: a tenant, or what is wrong with it. */
export type ImportLine = { readonly line: number } & (
  | { readonly row: ImportedTenant }
  | { readonly error: RegistryError }
)

/**
 * Creates many tenants in one transaction, each line as a whole or not at all: one that is refused keeps no other from
 * being created. Answers a result for each line, in order.
 * @param options.dryRun takes everything back: the results are what would have become of the lines
 */
export async function importTenants(
  db: Db,
  actor: Actor,
  catalogue: Catalogue,
  lines: readonly ImportLine[],
  { dryRun = false }: { readonly dryRun?: boolean } = {},
): Promise<ImportResult[]> {
  return await (dryRun ? rehearse : oneTransaction)(db, async (unit) => {
    const results: ImportResult[] = []
    for (const line of lines) results.push(await importLine(unit, actor, catalogue, line))
    return results
  })
}

async function importLine(unit: Db, actor: Actor, catalogue: Catalogue, line: ImportLine): Promise<ImportResult> {
  if ('error' in line) return refused(line.line, null, line.error)
  const { products = [], ...fields } = line.row
  try {
    const tenant = await oneTransaction(unit, async (each) => {
      const created = await createTenant(each, actor, catalogue, fields)
      for (const product of new Set(products)) await assignProduct(each, actor, catalogue, created.id, product)
      return created
    })
    return {
      line: line.line,
      outcome: 'created',
      id: tenant.id,
      slug: tenant.slug,
      code: null,
      detail: null,
      errors: [],
    }
  } catch (error) {
    // What is wrong with the line is its own affair; a database that is gone is everybody's.
    if (!(error instanceof RegistryError) || error.kind === 'unavailable') throw error
    return refused(line.line, line.row.slug, error)
  }
}

function refused(line: number, slug: string | null, error: RegistryError): ImportResult {
  const { code, detail, title, violations = [] } = error satisfies { code: ErrorCode }
  return { line, outcome: 'refused', id: null, slug, code, detail: detail ?? title, errors: [...violations] }
}
