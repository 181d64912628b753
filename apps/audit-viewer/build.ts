/**
 * Makes the page into the files that the server ships: `node apps/audit-viewer/build.ts`, as a part of `pnpm build`, of
 * `pnpm dev` and of the image. They lie beside what `tsc` makes of the HTTP host, and are packed with it.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { runInNewContext } from 'node:vm'
import { type Plugin, rolldown } from 'rolldown'

const source = join(import.meta.dirname, 'src')
const target = resolve(import.meta.dirname, '../../packages/http/dist/audit-viewer')

const viewer = /@retracedhq[/\\]logs-viewer[/\\]dist[/\\]retraced-logs-viewer\.js$/
const stylesEnd = '})();'

/**
 * The viewer brings its styles as a script that writes them into the page, which our policy forbids: they become a file
 * of their own.
 * @throws {Error} where a version of the viewer brings them otherwise
 */
function extractStyles(keep: (css: string) => void): Plugin {
  return {
    name: 'extract-styles',
    transform(code, id) {
      if (!viewer.test(id)) return null
      const end = code.indexOf(stylesEnd) + stylesEnd.length
      const texts: string[] = []
      const document = {
        createElement: () => ({ appendChild: () => undefined }),
        createTextNode: (text: string) => texts.push(text),
        head: { appendChild: () => undefined },
      }
      runInNewContext(code.slice(0, end), { document, console })
      const [css] = texts
      if (css === undefined || texts.length > 1) throw new Error('the viewer brings its styles otherwise than it did')
      keep(css)
      return { code: code.slice(end), map: null }
    },
  }
}

let styles = ''
const bundle = await rolldown({
  input: join(source, 'main.tsx'),
  platform: 'browser',
  plugins: [extractStyles((css) => (styles += css))],
  transform: { define: { 'process.env.NODE_ENV': '"production"' } },
})
const { output } = await bundle.generate({ format: 'iife', minify: true })
await bundle.close()
if (output.length !== 1) throw new Error(`the page is one script, not ${output.length} files`)
if (styles === '') throw new Error('the viewer has no styles')

mkdirSync(target, { recursive: true })
write('viewer.css', styles + readFileSync(join(source, 'page.css'), 'utf8'))
// Last: who finds it finds the whole page.
write('viewer.js', output[0].code)

/** A server that starts meanwhile finds the former file or this one, and no half of it. */
function write(name: string, text: string): void {
  const file = join(target, name)
  const unfinished = `${file}.${process.pid}`
  try {
    writeFileSync(unfinished, text)
    renameSync(unfinished, file)
  } finally {
    rmSync(unfinished, { force: true })
  }
}
