/**
 * What ingest over HTTP is compared with: Express 5 as it comes, and what was sent as rows of JSON, one statement for
 * each request. No key, no validation, no chain, no index but the primary key's. DATABASE_URL and PORT say where.
 */
/* oxlint-disable oxc/no-async-endpoint-handlers -- Express 5 catches what they reject with */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Pool } from 'pg'
import { checkout } from '../../postgres/installation.ts'

interface Response {
  status(code: number): { json(body: unknown): void }
  json(body: unknown): void
}
interface App {
  get(path: string, handler: (request: unknown, response: Response) => void): void
  post(
    path: string,
    parseBody: unknown,
    handler: (request: { readonly body: { readonly events: unknown[] } }, response: Response) => Promise<void>,
  ): void
  listen(port: number, host: string): void
}

const requireFromHttp = createRequire(join(checkout, 'packages/http/package.json'))
const express = requireFromHttp('express') as { (): App; json(options: object): unknown }

const pool = new Pool({ connectionString: process.env['DATABASE_URL'] ?? '', max: 10 })
await pool.query(
  'create table if not exists bench.bare (id bigint generated always as identity primary key, event json not null)',
)
const insert = {
  name: 'insert',
  text: 'insert into bench.bare (event) select value from json_array_elements($1) returning id',
}

const app = express()
app.get('/', (_, response) => response.json({}))
app.post('/v1/audit/events', express.json({ limit: '10mb' }), async ({ body }, response) => {
  const { rows } = await pool.query({ ...insert, values: [JSON.stringify(body.events)] })
  response.status(201).json({ events: rows })
})
app.listen(Number(process.env['PORT']), '127.0.0.1')
