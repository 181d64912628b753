import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { docker } from './commands.ts'
import { builtImages } from './images.ts'
import { confined, ended, ownerUrl, passwords, runtimeUrl, setStage, type Stage } from './stage.ts'

const images = builtImages()
const asOwner = [...confined, '--env', `DATABASE_URL=${ownerUrl}`]

let stage: Stage
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'images-'))
  stage = await setStage(images)
})
afterAll(async () => {
  await stage?.remove()
  await rm(folder, { recursive: true })
})

it('waits for a PostgreSQL that comes 20 seconds late, migrates, grants, and tells no secret', async () => {
  const secret = join(folder, 'database-url')
  await writeFile(secret, `${ownerUrl}\n`, { mode: 0o644 })
  await docker('stop', stage.postgres)
  const mounted = ['--volume', `${secret}:/run/secrets/database-url:ro`]
  const named = ['--env', 'DATABASE_URL_FILE=/run/secrets/database-url']
  const up = ['up', '--wait', '60s', '--runtime-role', 'tenant_registry_runtime']
  const migrate = await stage.start(images.migrate, [...confined, ...mounted, ...named], ...up)
  await sleep(20_000)
  expect(await docker('inspect', '--format', '{{.State.Running}}', migrate)).toBe('true')
  await docker('start', stage.postgres)

  const { code, stdout, stderr } = await ended(migrate)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain('"event":"waiting"')
  expect(stdout).toContain('"event":"granted"')
  expect(stdout).not.toMatch(/hunter2|postgres:\/\//)
})

it('did so as a role that is no superuser and owns what it made', async () => {
  const owners = `select distinct rolname, rolsuper from pg_class c join pg_roles r on r.oid = c.relowner
    where relnamespace in ('public'::regnamespace, 'registry'::regnamespace)`
  expect((await stage.sql(ownerUrl, owners)).stdout.trim()).toBe('tenant_registry_owner|f')
})

it('lets the runtime role add to the log, and neither change nor delete what is there', async () => {
  const added = await stage.sql(
    runtimeUrl,
    `insert into audit_log (id, stream_id, stream_seq, received_at, canonical_at, product, environment, action, crud,
       chain_version, personal_digest, prev_hash, chain_hash)
     select gen_random_uuid(), gen_random_uuid(), 1, now(), now(), 'registry', 'live', 'tenant.created', 'c', 1, d, d, d
     from sha256('') as d returning action`,
  )
  expect(added).toEqual({ code: 0, stdout: 'tenant.created\n', stderr: '' })
  for (const statement of ['update audit_log set action = action', 'delete from audit_log', 'truncate audit_log']) {
    const refused = await stage.sql(runtimeUrl, statement)
    expect(refused).toMatchObject({ code: 1, stderr: 'ERROR:  permission denied for table audit_log\n' })
  }
})

it('has nothing to do the second time', async () => {
  const { code, stdout } = await stage.run(images.migrate, [
    ...asOwner,
    '--env',
    'RUNTIME_ROLE=tenant_registry_runtime',
  ])
  expect({ code, done: JSON.parse(stdout).done }).toEqual({ code: 0, done: [] })
})

it('ends at once with a wrong password, and repeats neither it nor the address', async () => {
  const started = performance.now()
  const wrong = ownerUrl.replace(passwords.owner, 'wrong-hunter2')
  const { code, stdout, stderr } = await stage.run(images.migrate, [...confined, '--env', `DATABASE_URL=${wrong}`])
  expect(code).toBe(3)
  expect(performance.now() - started).toBeLessThan(15_000)
  expect(stderr).toMatch(/password authentication failed/)
  expect(stdout + stderr).not.toMatch(/hunter2|postgres:\/\//)
})

it('ends at once when it is stopped while it waits', async () => {
  const nobody = ownerUrl.replace('@postgres', '@nobody')
  const migrate = await stage.start(images.migrate, [...confined, '--env', `DATABASE_URL=${nobody}`])
  await sleep(2_000)
  const started = performance.now()
  await docker('stop', '--time', '30', migrate)
  expect(performance.now() - started).toBeLessThan(10_000)
  expect((await ended(migrate)).code).toBe(1)
})

it('does not revert anything in production without being told that this is meant', async () => {
  const { code, stderr } = await stage.run(images.migrate, asOwner, 'down')
  expect({ code, ...JSON.parse(stderr) }).toMatchObject({ code: 'refused_in_prod', exit_code: 9 })
})
