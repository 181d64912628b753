import { hash } from 'node:crypto'
import { hostname } from 'node:os'
import type { ContainerRuntimeClient } from 'testcontainers'
import { checkout } from '../../scripts/postgres/installation.ts'
import { isRunning, recordOf } from '../../scripts/processes/identity.ts'
import { type BackEnd, BackEndUnavailable } from './back-end.ts'

const pullTimeoutMs = 180_000
const labels = { checkout: 'tenant-registry.checkout', run: 'tenant-registry.test-run' }

/** A container, through Testcontainers. `TEST_POSTGRES_IMAGE` names another image. */
export async function dockerBackEnd(env: NodeJS.ProcessEnv): Promise<BackEnd> {
  // Its reaper is one more image to pull and to start; we remove what a killed run left ourselves.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true'
  // Loaded here: it takes long, and a run with TEST_DATABASE_URL does without.
  const { getContainerRuntimeClient } = await import('testcontainers')
  const docker = await getContainerRuntimeClient().catch(() => {
    throw new BackEndUnavailable('no Docker engine answers')
  })
  const place = hash('sha256', `${hostname()}:${checkout}`).slice(0, 12)
  await discardLeftovers(docker, place)

  const image = env['TEST_POSTGRES_IMAGE'] || 'postgres:18-alpine'
  await pull(docker, image)
  const me = recordOf(process.pid)
  const { PostgreSqlContainer } = await import('@testcontainers/postgresql')
  const container = await new PostgreSqlContainer(image)
    .withLabels({ [labels.checkout]: place, [labels.run]: `${me.pid}-${me.identity}` })
    .withCommand([
      'postgres',
      ...['fsync=off', 'full_page_writes=off', 'max_connections=200'].flatMap((s) => ['-c', s]),
    ])
    .start()
    .catch((error: unknown) => {
      throw new BackEndUnavailable(`Docker is here, but ${image} does not start: ${reasonOf(error)}`, { cause: error })
    })
  return {
    description: `a container of ${image} (a Docker engine answers)`,
    lasting: false,
    adminUrl: container.getConnectionUri(),
    async stop() {
      await container.stop()
    },
  }
}

async function pull(docker: ContainerRuntimeClient, image: string): Promise<void> {
  const { ImageName } = await import('testcontainers')
  const name = ImageName.fromString(image)
  if (await docker.image.exists(name)) return
  console.log(`postgres: pulling ${image}`)
  const timeout = AbortSignal.timeout(pullTimeoutMs)
  const tooLong = new Promise<never>((_, reject) => {
    timeout.addEventListener('abort', () => reject(new Error(`no end after ${pullTimeoutMs / 1000} seconds`)))
  })
  try {
    await Promise.race([docker.image.pull(name), tooLong])
  } catch (error) {
    const problem = `Docker is here, but the image ${image} cannot be pulled: ${reasonOf(error)}`
    throw new BackEndUnavailable(problem, { cause: error })
  }
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).trim().replaceAll(/\s+/g, ' ')
}

async function discardLeftovers(docker: ContainerRuntimeClient, place: string): Promise<void> {
  const { dockerode } = docker.container
  const filters = { label: [`${labels.checkout}=${place}`] }
  for (const { Id, Labels } of await dockerode.listContainers({ all: true, filters })) {
    const [pid, identity] = Labels[labels.run]?.split('-') ?? []
    if (isRunning({ pid: Number(pid), identity: identity ?? '' })) continue
    console.log(`postgres: removing the container ${Id.slice(0, 12)} of an interrupted run`)
    await dockerode.getContainer(Id).remove({ force: true, v: true })
  }
}
