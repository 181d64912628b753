/**
 * Writes the OpenAPI document of the routes to `packages/http/openapi.json`. With `--check` it changes nothing and
 * exits 1 when the document differs.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { openApiDocument, routes } from '../src/index.ts'

const file = new URL('../openapi.json', import.meta.url)
const text = `${JSON.stringify(openApiDocument(routes), null, 2)}\n`
if (!process.argv.includes('--check')) writeFileSync(file, text)
else if (readFileSync(file, 'utf8') !== text) process.exitCode = 1
