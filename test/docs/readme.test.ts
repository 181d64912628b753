import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { routes } from '@breakpilot/tenant-http'
import { describe, expect, it } from 'vitest'
import { variables } from '../../apps/server/src/config.ts'

const root = resolve(import.meta.dirname, '../..')
const readme = await readFile(join(root, 'README.md'), 'utf8')

/** The rows of the table under a heading, their first two cells. */
function tableUnder(heading: string): [string, string][] {
  const section = readme.slice(readme.indexOf(`## ${heading}`)).split('\n## ')[0] ?? ''
  return [...section.matchAll(/^\| +([^-].*?) +\| +(.*?) +\|/gm)].slice(1).map(([, a = '', b = '']) => [a, b])
}

describe('the README', () => {
  it('lists every operation, and none that there is not', () => {
    const listed = tableUnder('Endpoints').flatMap(([methods, path]) =>
      methods.split(' ').map((method) => `${method} ${path.replaceAll('`', '')}`),
    )
    const served = routes.map(({ method, path }) => `${method.toUpperCase()} ${path}`)
    expect(listed.toSorted()).toEqual([...served, 'GET /openapi.json'].toSorted())
  })

  it('lists every variable of the server, and none that there is not', () => {
    const listed = tableUnder('Configuration').map(([name]) => name.replaceAll('`', ''))
    expect(listed.toSorted()).toEqual(variables.toSorted())
  })
})

describe('the pages', () => {
  it('lead to files that are there', async () => {
    const pages = ['README.md', 'CONTRIBUTING.md', 'STYLE.md', 'packages/client/README.md']
    for (const folder of ['docs', 'docs/adr']) {
      for (const name of await readdir(join(root, folder))) if (name.endsWith('.md')) pages.push(join(folder, name))
    }
    const broken: string[] = []
    for (const page of pages) {
      const text = await readFile(join(root, page), 'utf8')
      for (const [, target = ''] of text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)) {
        const there = await readFile(resolve(root, page, '..', target)).then(
          () => true,
          (error: NodeJS.ErrnoException) => error.code === 'EISDIR',
        )
        if (!there) broken.push(`${page}: ${target}`)
      }
    }
    expect(broken).toEqual([])
  })
})
