/** Writes the OpenAPI document of the routes to `packages/http/openapi.json`. */
import { writeFileSync } from 'node:fs'
import { openApiDocument, routes } from '../src/index.ts'

const file = new URL('../openapi.json', import.meta.url)
writeFileSync(file, `${JSON.stringify(openApiDocument(routes), null, 2)}\n`)
