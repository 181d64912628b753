import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { emptyDatabase, migratedDatabase } from '../postgres/database.ts'
import { rowsOf } from './fixture.ts'

async function check(
  script: string,
  url: string,
  env: Record<string, string> = {},
): Promise<{ code: unknown; said: string }> {
  const path = fileURLToPath(new URL(`../../packages/migrations/scripts/${script}.ts`, import.meta.url))
  const child = spawn(process.execPath, ['--conditions=@breakpilot/source', path, '--check'], {
    env: { ...process.env, DATABASE_URL: url, ...env },
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code, said }))
  })
}

describe('schema.sql', () => {
  it('is the sum of the migrations, whatever PostgreSQL and time zone it is read in', async () => {
    const database = await migratedDatabase()
    onTestFinished(async () => database.drop())
    expect(await check('schema', database.ownerUrl)).toEqual({ code: 0, said: '' })
    expect(await check('schema', database.ownerUrl, { PGTZ: 'America/New_York' })).toEqual({ code: 0, said: '' })
  })

  it('notices whatever changes the schema', async () => {
    const database = await migratedDatabase()
    onTestFinished(async () => database.drop())
    await rowsOf(database.ownerUrl, `comment on column tenants.slug is 'changed'`)
    expect(await check('schema', database.ownerUrl)).toMatchObject({
      code: 1,
      said: expect.stringContaining('out of date'),
    })
  })
})

describe('the facts of version 1', () => {
  it('are what 0001 makes', async () => {
    const database = await emptyDatabase()
    onTestFinished(async () => database.drop())
    expect(await check('baseline', database.ownerUrl)).toEqual({ code: 0, said: '' })
  })
})
