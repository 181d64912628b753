/** What is left when Express is taken away as well: `node:http`, `pg`, JSON. */
import { createServer } from 'node:http'
import { tenantBySlug } from './bare-queries.ts'

const prefix = '/v1/tenants/by-slug/'

const server = createServer((request, response) => {
  const { url = '' } = request
  const row = request.method === 'GET' && url.startsWith(prefix) ? tenantBySlug(url.slice(prefix.length)) : undefined
  void Promise.resolve(row).then((tenant) => {
    const body = JSON.stringify(tenant ?? { error: 'not found' })
    response.writeHead(tenant ? 200 : 404, {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': Buffer.byteLength(body),
    })
    response.end(body)
  })
})
server.listen(Number(process.env['PORT']), '127.0.0.1')
