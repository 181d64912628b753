import { keepsPreparedStatements } from '@breakpilot/tenant-core'
import { expect, it, onTestFinished } from 'vitest'
import { migratedDatabase } from '../postgres/database.ts'
import { aTransactionPooler } from '../postgres/transaction-pooler.ts'

async function aDatabase() {
  const database = await migratedDatabase()
  onTestFinished(async () => database.drop())
  return database
}

it('a plain connection keeps prepared statements', async () => {
  expect(await keepsPreparedStatements({ connectionString: (await aDatabase()).runtimeUrl })).toBe(true)
})

it.each([0, 3, 10])(
  'a pooler that forgets them is found out, also if it gives the same session for %i transactions first',
  async (staysFor) => {
    const pooler = await aTransactionPooler((await aDatabase()).runtimeUrl, 4, { staysFor })
    onTestFinished(async () => pooler.close())
    expect(await keepsPreparedStatements({ connectionString: pooler.url })).toBe(false)
  },
)
