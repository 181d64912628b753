/**
 * Builds what ships and looks at it as its users will: the API reports of each library package are the committed ones
 * (`--update` writes them anew), the packed package is well made (publint) and its types resolve (attw).
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { exit } from 'node:process'
import { promisify } from 'node:util'
import { apiReportProblems } from './packages/api-report.ts'
import { underLock } from './processes/lock.ts'

const root = resolve(import.meta.dirname, '..')
const update = process.argv.includes('--update')

const problems: string[] = []
await underLock(
  join(root, 'node_modules', '.check-packages.lock'),
  (pid) => console.log(`check-packages: waiting for process ${pid}, which does the same`),
  async () => {
    if (!(await passes('build', 'tsc', ['-b', 'tsconfig.build.json']))) return
    const packages = readdirSync(join(root, 'packages'))
    for (const name of packages) problems.push(...apiReportProblems(join(root, 'packages', name), name, update))
    if (!update) await Promise.all(packages.map(checkPacked))
  },
)
for (const problem of problems) console.error(problem)
exit(problems.length ? 1 : 0)

async function checkPacked(name: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tenant-registry-pack-'))
  try {
    // Packed by pnpm as it will be published: `catalog:` and `workspace:` are gone, `publishConfig` holds.
    const packed = await passes(`${name}: pack`, 'pnpm', [
      '--dir',
      join('packages', name),
      'pack',
      '--pack-destination',
      folder,
    ])
    const tarball = packed && join(folder, readdirSync(folder)[0] ?? '')
    if (!tarball) return
    await passes(`${name}: publint`, 'publint', ['run', tarball, '--strict'])
    await passes(`${name}: attw`, 'attw', [tarball, '--profile', 'esm-only', '--format', 'ascii'])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function passes(what: string, program: string, words: string[]): Promise<boolean> {
  try {
    await promisify(execFile)(program, words, { cwd: root, maxBuffer: 2 ** 26 })
    return true
  } catch (error) {
    const output = error instanceof Error && 'stdout' in error && 'stderr' in error ? [error.stdout, error.stderr] : []
    problems.push(`${what}:\n${output.join('\n').trim() || String(error)}`)
    return false
  }
}
