import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ApiDocument, laterValue, withOpenEnums } from './api-document.ts'

/** The sources of the types of a document: its schemas, and what its operations take and give. */
export interface ApiTypes {
  readonly schemas: string
  readonly operations: string
}

/**
 * Has Redocly write its client into a folder that is thrown away, and keeps the types of it: its run-time half is
 * several times as large as ours and knows neither our retries nor our errors.
 * @throws {Error} when Redocly writes something else than it used to: its version is pinned, look at what changed
 */
export function apiTypes(document: ApiDocument): ApiTypes {
  const folder = mkdtempSync(join(tmpdir(), 'tenant-client-'))
  try {
    writeFileSync(join(folder, 'openapi.json'), JSON.stringify(withOpenEnums(document)))
    runRedocly(folder)
    return {
      schemas: schemasFrom(readFileSync(join(folder, 'api.schemas.ts'), 'utf8')),
      operations: operationsFrom(readFileSync(join(folder, 'api.ts'), 'utf8')),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function runRedocly(folder: string): void {
  const manifest = fileURLToPath(import.meta.resolve('@redocly/cli/package.json'))
  const words = ['generate-client', 'openapi.json', '--output=api.ts', '--output-mode=split', '--runtime=module']
  execFileSync(process.execPath, [join(dirname(manifest), 'bin/cli.js'), ...words], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    // It neither reports its use nor asks whether there is a newer version: generation works without a network.
    env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', CI: 'true' },
  })
}

function schemasFrom(source: string): string {
  const later = `export type ${laterValue} = string;`
  return replaceOnce(
    withOneJson(body(source)),
    later,
    `/**\n * A value that a later release may add. (The \`& {}\` keeps the known ones in sight of an editor.)\n */\nexport type ${laterValue} = string & {};`,
  )
}

/** Any JSON is a schema that refers to itself, and the document has it once for every place where it stands. */
function withOneJson(source: string): string {
  const [first, ...others] = source.match(/^export type __schema\d+ = .*;\n\n/gm) ?? []
  if (first === undefined) return source
  const json = `/**\n * Anything that JSON can say.\n */\nexport type Json = string | number | boolean | null | Json[] | { [name: string]: Json };\n\n`
  const once = others.reduce((text, other) => text.replace(other, ''), source.replace(first, json))
  return once.replaceAll(/\b__schema\d+\b/g, 'Json')
}

function operationsFrom(source: string): string {
  const [types = '', rest] = body(source).split(/^\/\*\*\n \* The wire-shape descriptor/m)
  const imports = types.match(/^import type \{[^}]*\} from '.\/api\.schemas\.js';\n/m)?.[0]
  const first = types.search(/^export type /m)
  if (rest === undefined || imports === undefined || first === -1) throw new Error('Redocly wrote another api.ts')
  const own = types
    .slice(first)
    // Nobody needs these: headers follow from a call's options and are read from the response, and the variables are
    // the parts of `Ops` again.
    .replaceAll(/^export type \w+(?:ResponseHeaders|Variables|Headers) = \{\n(?:.*\n)*?\};\n\n/gm, '')
    .replaceAll(/^ +headers\?: \w+Headers;\n/gm, '')
    .replaceAll(/^ +headers: \{\n(?: +\w+\?: string;\n)* +\};\n/gm, '')
    .replaceAll(/^export type (\w+(?:Result|Path|Body)) = /gm, 'type $1 = ')
  return `${imports.replace('./api.schemas.js', './schemas.gen.ts')}\n${own}`.trimEnd() + '\n'
}

/** Without the banner and the title of the API, which our own banner replaces. */
function body(source: string): string {
  return source.replace(/^(?:\/\/.*\n)+\n\/\*\*\n(?: \*.*\n)+\n/, '')
}

function replaceOnce(text: string, wanted: string, replacement: string): string {
  if (text.split(wanted).length !== 2) throw new Error(`Redocly did not write "${wanted}" exactly once`)
  return text.replace(wanted, () => replacement)
}
