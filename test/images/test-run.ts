import { hash } from 'node:crypto'
import { hostname } from 'node:os'
import { checkout } from '../../scripts/postgres/installation.ts'
import { isRunning, recordOf } from '../../scripts/processes/identity.ts'
import { docker } from './commands.ts'

// Several machines' tests may share one engine, and a number of a process means something only on its own machine.
const place = hash('sha256', `${hostname()}:${checkout}`).slice(0, 12)
const names = new RegExp(`\\btenant-registry-images-${place}-(\\d+)-([0-9a-f]+)\\b`, 'g')

/** What a container and a network carry, so that nothing is ever left behind. */
export const runLabel = 'tenant-registry.images-run'

const composeLabel = 'com.docker.compose.project'

/** The name of this run; compose's project has it too. */
export function nameOfRun(): string {
  const { pid, identity } = recordOf(process.pid)
  return `tenant-registry-images-${place}-${pid}-${identity}`
}

/** Removes whatever is there of a run: containers with their volumes, networks, the names of images. */
export async function removeRun(run: string): Promise<void> {
  for (const label of [`${runLabel}=${run}`, `${composeLabel}=${run}`]) {
    const having = ['--quiet', '--filter', `label=${label}`]
    await removeAll(['rm', '--force', '--volumes'], await docker('ps', '--all', ...having))
    await removeAll(['network', 'rm'], await docker('network', 'ls', ...having))
    await removeAll(['volume', 'rm', '--force'], await docker('volume', 'ls', ...having))
  }
  // The layers stay, as after every build: the next one is quick.
  const tags = await docker('image', 'ls', '--format', '{{.Repository}}:{{.Tag}}', '--filter', `reference=${run}:*`)
  await removeAll(['image', 'rm', '--no-prune'], tags)
}

/** Removes what runs have left that were killed. */
export async function removeLeftovers(): Promise<void> {
  const format = `{{.Label "${runLabel}"}} {{.Label "${composeLabel}"}}`
  const containers = await docker('ps', '--all', '--format', format)
  const images = await docker('image', 'ls', '--format', '{{.Repository}}')
  const found = new Map([...`${containers}\n${images}`.matchAll(names)].map((match) => [match[0], match]))
  for (const [run, [, pid, identity = '']] of found) {
    if (isRunning({ pid: Number(pid), identity })) continue
    console.log(`images: removing what ${run} has left`)
    await removeRun(run)
  }
}

async function removeAll(command: readonly string[], found: string): Promise<void> {
  const ids = found.split('\n').filter((id) => id !== '')
  if (ids.length > 0) await docker(...command, ...ids)
}
