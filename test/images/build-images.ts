import { resolve } from 'node:path'
import type { TestProject } from 'vitest/node'
import { run, succeed, docker } from './commands.ts'
import { nameOfRun, removeLeftovers, removeRun } from './test-run.ts'

const root = resolve(import.meta.dirname, '../..')

/** Builds both images as anybody would. `TEST_BASE_IMAGE` and `TEST_POSTGRES_IMAGE` name other images to start from. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const name = nameOfRun()
  const missing = await withoutDocker()
  if (missing !== undefined) {
    project.provide('images', { problem: missing })
    return async () => undefined
  }
  try {
    await removeLeftovers()
    project.provide('images', {
      run: name,
      migrate: await build(name, 'migrate'),
      server: await build(name, 'server'),
      postgres: process.env['TEST_POSTGRES_IMAGE'] || 'postgres:18-bookworm',
    })
  } catch (error) {
    project.provide('images', { problem: String(error) })
  }
  return () => removeRun(name)
}

async function withoutDocker(): Promise<string | undefined> {
  const version = await run('docker', ['version', '--format', '{{.Server.Version}}']).catch(() => undefined)
  if (version?.code === 0) return undefined
  const reason = version?.stderr.trim() ?? 'there is no program `docker`'
  return `the images can only be tested with a Docker engine, and none answers: ${reason}`
}

async function build(name: string, app: 'server' | 'migrate'): Promise<string> {
  const started = performance.now()
  const image = `${name}:${app}`
  const base = process.env['TEST_BASE_IMAGE'] || 'node:24-bookworm-slim'
  const words = ['build', '--file', `apps/${app}/Dockerfile`, '--build-arg', `BASE_IMAGE=${base}`, '--tag', image, '.']
  await succeed('docker', words, { cwd: root })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  const size = await sizeOf(image)
  console.log(`images: ${app} built in ${seconds} s, ${inMb(size)}, of which ${inMb(size - (await sizeOf(base)))} ours`)
  return image
}

async function sizeOf(image: string): Promise<number> {
  return Number(await docker('image', 'inspect', '--format', '{{.Size}}', image))
}

function inMb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`
}
