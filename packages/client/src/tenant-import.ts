import type { Call } from './call.ts'
import type { ImportedTenant, ImportResult } from './generated/schemas.gen.ts'
import type { ChangeOptions } from './options.ts'
import { randomKey } from './transport.ts'

/** What the registry takes at once is 1 000 lines and 2 MiB; a character has three bytes at most. */
const linesMax = 1_000
const charactersMax = 600_000

/** Sends rows in as many requests as it takes, one after the other, each with a key of its own. */
export async function importTenants(
  rows: Iterable<ImportedTenant> | AsyncIterable<ImportedTenant>,
  { idempotencyKey = randomKey(), ...options }: ChangeOptions,
  send: (lines: string, options: ChangeOptions) => Call<string>,
): Promise<ImportResult[]> {
  const results: ImportResult[] = []
  let sent = 0
  let lines: string[] = []
  let characters = 0
  const flush = async () => {
    if (lines.length === 0) return
    const answer = await send(lines.join(''), { ...options, idempotencyKey: `${idempotencyKey}-${sent}` })
    for (const line of answer.split('\n')) {
      if (line === '') continue
      const result = JSON.parse(line) as ImportResult
      results.push({ ...result, line: result.line + sent })
    }
    sent += lines.length
    lines = []
    characters = 0
  }
  for await (const row of rows) {
    const line = `${JSON.stringify(row)}\n`
    if (lines.length === linesMax || characters + line.length > charactersMax) await flush()
    lines.push(line)
    characters += line.length
  }
  await flush()
  return results
}
