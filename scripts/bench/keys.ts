import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDb, KeyIssuer, mintToken, newApiKeyId, newKeyringText, parseKeyring } from '@breakpilot/tenant-core'
import { Client } from 'pg'
import { checkout } from '../postgres/installation.ts'
import { acmeId } from './acme.ts'
import { askProgram, type Generator } from './children.ts'
import type { BenchDatabase } from './database.ts'
import type { VerifierRates } from './key-verifier.ts'
import { type Effort, measure, median, type Workload } from './measure.ts'
import { aboutRequests, atMost, type Finding, judged, p99, section, type Verdict } from './report.ts'
import type { Replica, Servers } from './servers.ts'
import { bySlug } from './workloads.ts'

/** What is measured about API keys, and with what. */
interface KeyScene extends Servers {
  readonly database: BenchDatabase
  readonly generator: Generator
  readonly effort: Effort
  readonly signal: AbortSignal
}

const verifyPath = '/v1/api-keys/verify'
const batchOf = 100
const count = (value: number) => Math.round(value).toLocaleString('en')
const ms = (value: number) => `${value.toFixed(1)} ms`

/** Everything about API keys: what the registry promises of them, each beside what it is compared with. */
export const keySubjects: readonly { readonly title: string; readonly find: (scene: KeyScene) => Promise<Finding> }[] =
  [
    { title: 'keys in the process', find: inTheProcess },
    { title: 'keys over HTTP', find: overHttp },
    { title: 'keys in batches', find: inBatches },
    { title: 'keys that are forged', find: forged },
    { title: 'keys that are revoked elsewhere', find: revokedElsewhere },
    { title: 'keys on a cold replica', find: onColdReplica },
  ]

async function inTheProcess({ database, effort }: KeyScene): Promise<Finding> {
  const {
    rates,
    p99: slow,
    cold,
    argon2,
    expiry,
    together,
  } = await askProgram<VerifierRates>('scripts/bench/key-verifier.ts', { url: database.url, rounds: effort.rounds })
  const multiple = (name: keyof typeof rates) =>
    median(rates[name].map((rate, at) => rate / (rates['bare loop'][at] ?? 0)))
  const lines = [
    ['bare loop: HMAC, map, SHA-256, comparison', `${count(median(rates['bare loop']))} per second`, '1'],
    ['a key that was proven before', `${count(median(rates.warm))} per second`, multiple('warm').toFixed(2)],
    ['a forged token', `${count(median(rates.forged))} per second`, multiple('forged').toFixed(2)],
    ['argon2id alone', ms(median(argon2)), '1'],
    ['a key for the first time', ms(median(cold)), (median(cold) / median(argon2)).toFixed(2)],
  ]
  return {
    table: section('API keys inside of a process, on one core', ['', 'measured', 'as a multiple'], lines),
    verdicts: [
      judged(
        multiple('warm') >= 0.7,
        `a warm verification: ${multiple('warm').toFixed(2)} × the bare loop, target 0.7 at least`,
      ),
      atMost('a warm verification: p99 in microseconds', median(slow), 50),
      atMost('a cold verification: times argon2', median(cold) / median(argon2), 1.5),
      judged(
        expiry.reads === 1 && expiry.argon2 === 0,
        `a hot key whose state has aged: ${expiry.reads} SELECT, ${expiry.argon2} argon2, target 1 and 0`,
      ),
      judged(together === 1, `100 first uses at once: ${together} argon2, target 1`),
    ],
  }
}

async function overHttp({ servers, tokens, generator, effort, signal }: KeyScene): Promise<Finding> {
  const key = await issue(servers.get('registry')?.port ?? 0, tokens.operator)
  const body = JSON.stringify({ key: key.key, scopes: ['certifai:read'] })
  const workload: Workload = {
    title: `POST ${verifyPath}`,
    order: { method: 'POST', path: verifyPath, status: 200, body, token: tokens.certifai },
    servers: ['bare Express', 'registry'],
  }
  const samples = await measure(workload, servers, generator, effort, signal)
  const rate = (name: string) => median((samples.get(name) ?? []).map(({ requestsPerSecond }) => requestsPerSecond))
  const share = (100 * rate('registry')) / rate('bare Express')
  return {
    ...aboutRequests(workload, samples),
    verdicts: [
      judged(
        share >= 50,
        `a warm verification over HTTP: ${share.toFixed(0)} % of the requests per second of an empty POST, target 50 % at least`,
      ),
    ],
  }
}

async function inBatches({ servers, tokens, generator, effort, signal }: KeyScene): Promise<Finding> {
  const key = await issue(servers.get('registry')?.port ?? 0, tokens.operator)
  const items = Array.from({ length: batchOf }, () => ({ key: key.key, scopes: ['certifai:read'] }))
  const path = '/v1/api-keys/verify-batch'
  const workload: Workload = {
    title: `POST ${path} (${batchOf} keys)`,
    order: { method: 'POST', path, status: 200, body: JSON.stringify({ items }), token: tokens.certifai },
    servers: ['bare Express', 'registry'],
  }
  const samples = await measure(workload, servers, generator, effort, signal)
  const keys = batchOf * median((samples.get('registry') ?? []).map(({ requestsPerSecond }) => requestsPerSecond))
  return {
    ...aboutRequests(workload, samples),
    verdicts: [
      judged(keys >= 150_000, `batches of ${batchOf}: ${count(keys)} keys per second, target 150,000 at least`),
    ],
  }
}

/** How long other requests take: one after the other, each by itself. */
async function others({ generator, tokens }: KeyScene, port: number, seconds: number): Promise<number> {
  const order = { port, connections: 1, seconds, perSecond: 200, token: tokens.operator, slugPrefix: '' }
  return p99((await generator.run({ ...order, method: 'GET', path: bySlug, status: 200 })).milliseconds)
}

async function metric({ metricsUrl }: Replica, name: string): Promise<number> {
  const text = await (await fetch(metricsUrl)).text()
  const line = text.split('\n').find((each) => each.startsWith(`${name} `))
  return Number(line?.split(' ')[1])
}

const forgedSeconds = 30
const forgedPerSecond = 5_000

async function forged(scene: KeyScene): Promise<Finding> {
  const replica = await scene.startReplica()
  const baseline = await others(scene, replica.port, 5)
  const before = await metric(replica, 'tenant_registry_argon2_total')
  const key = await issue(replica.port, scene.tokens.operator)
  const text = mintToken(parseKeyring(newKeyringText('another')), 'live').text
  const flood = flooding(replica.port, scene.tokens.certifai, key.prefix + text.slice(21), forgedSeconds)
  const during = await others(scene, replica.port, forgedSeconds - 2)
  const sent = await flood
  const argon2 = (await metric(replica, 'tenant_registry_argon2_total')) - before
  await replica.stop()
  const lines = [
    ['forged tokens per second', count(sent / forgedSeconds)],
    ['argon2', String(argon2)],
    ['p99 of `GET by-slug` before', ms(baseline)],
    ['p99 of `GET by-slug` meanwhile', ms(during)],
  ]
  return {
    table: section(`${count(forgedPerSecond)} forged tokens a second for ${forgedSeconds} s`, ['', 'measured'], lines),
    verdicts: [
      judged(argon2 === 0, `forged tokens: ${argon2} argon2, target 0`),
      judged(
        sent / forgedSeconds >= forgedPerSecond * 0.95,
        `forged tokens: ${count(sent / forgedSeconds)} per second were sent, ${count(forgedPerSecond)} were meant`,
      ),
      atMost('forged tokens: p99 of other requests, times that before', during / baseline, 2),
    ],
  }
}

/** Sends forged tokens, fifty in a request. */
async function flooding(port: number, token: string, key: string, seconds: number): Promise<number> {
  const body = JSON.stringify({ items: Array.from({ length: 50 }, () => ({ key })) })
  const until = performance.now() + seconds * 1000
  let sent = 0
  for (let turn = performance.now(); turn < until; turn += (50 / forgedPerSecond) * 1000) {
    await sleep(Math.max(0, turn - performance.now()))
    void post(port, '/v1/api-keys/verify-batch', token, body)
    sent += 50
  }
  return sent
}

const rounds = { heard: 120, killed: 5 } as const

async function revokedElsewhere(scene: KeyScene): Promise<Finding> {
  const [a, b] = [await scene.startReplica(), await scene.startReplica()]
  const owner = new Client({ connectionString: scene.database.url })
  await owner.connect()
  try {
    const heard = []
    for (let round = 0; round < rounds.heard; round += 1) heard.push(await refusedAfter(scene, a, b))
    const killed = []
    for (let round = 0; round < rounds.killed; round += 1) {
      const kill = async () => {
        await owner.query(`select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and query ilike 'listen%'`)
      }
      killed.push(await refusedAfter(scene, a, b, kill))
      await sleep(1_500)
    }
    const most = Math.max(...killed)
    const lines = [
      ['heard', String(heard.length), ms(median(heard)), ms(p99(heard)), ms(Math.max(...heard))],
      [
        'the listening connection ended just before',
        String(killed.length),
        ms(median(killed)),
        ms(p99(killed)),
        ms(most),
      ],
    ]
    return {
      table: section('Revoked on one replica, refused on the other', ['', 'revocations', 'p50', 'p99', 'most'], lines),
      verdicts: [
        atMost('revoked elsewhere: p99 in milliseconds', p99(heard), 100),
        atMost('revoked elsewhere without a listening connection: milliseconds at most', most, 2_000),
      ],
    }
  } finally {
    await owner.end()
    await b.stop()
    await a.stop()
  }
}

/** Milliseconds from A's answer until B refuses. */
async function refusedAfter(
  { tokens }: KeyScene,
  a: Replica,
  b: Replica,
  before?: () => Promise<void>,
): Promise<number> {
  const { id, key } = await issue(a.port, tokens.operator)
  const body = JSON.stringify({ key })
  const ask = async () =>
    (JSON.parse((await post(b.port, verifyPath, tokens.certifai, body)).text) as { code: string }).code
  if ((await ask()) !== 'VALID') throw new Error('a key is not valid')
  await before?.()
  const reason = JSON.stringify({ reason: 'compromised' })
  await post(a.port, `/v1/tenants/${acmeId}/api-keys/${id}/revoke`, tokens.operator, reason)
  const since = performance.now()
  while ((await ask()) === 'VALID') if (performance.now() - since > 35_000) throw new Error('a key was never refused')
  return performance.now() - since
}

const coldKeys = { some: 500, many: 5_000 } as const

async function onColdReplica(scene: KeyScene): Promise<Finding> {
  const keys = await manyKeys(scene, coldKeys.many)
  const lines = []
  const verdicts: Verdict[] = []
  for (const number of [coldKeys.some, coldKeys.many]) {
    const replica = await scene.startReplica()
    const baseline = await others(scene, replica.port, 5)
    await metric(replica, 'nodejs_eventloop_lag_p99_seconds')
    const memory = await metric(replica, 'process_resident_memory_bytes')
    const since = performance.now()
    const beside = others(scene, replica.port, number === coldKeys.some ? 3 : 9)
    const agent = new Agent({ keepAlive: true, maxSockets: number })
    const answers = await Promise.all(
      keys.slice(0, number).map(async (key) => {
        const { status, text } = await post(
          replica.port,
          verifyPath,
          scene.tokens.certifai,
          JSON.stringify({ key }),
          agent,
        )
        return { status, valid: text.includes('"valid":true'), ms: performance.now() - since }
      }),
    )
    agent.destroy()
    const lag = (await metric(replica, 'nodejs_eventloop_lag_p99_seconds')) * 1000
    const grown = ((await metric(replica, 'process_resident_memory_bytes')) - memory) / 2 ** 20
    const during = await beside
    const last = Math.max(...answers.map((each) => each.ms))
    const good = answers.filter(({ valid }) => valid).length
    const later = answers.filter(({ status }) => status === 503).length
    await replica.stop()
    lines.push([
      count(number),
      count(good),
      count(later),
      ms(last),
      ms(lag),
      `${grown.toFixed(0)} MiB`,
      ms(baseline),
      ms(during),
    ])
    const what = `${count(number)} keys at once on a cold replica`
    if (number === coldKeys.some) {
      verdicts.push(
        judged(good === number, `${what}: ${count(good)} answered as valid, target all`),
        atMost(`${what}: milliseconds until the last`, last, 6_000),
        atMost(`${what}: p99 of the event loop's delay in milliseconds`, lag, 50),
      )
    } else {
      verdicts.push(
        judged(
          good + later === number,
          `${what}: ${count(good)} answered, ${count(later)} told to come back, target all`,
        ),
        atMost(`${what}: milliseconds until the last`, last, 9_000),
        atMost(`${what}: p99 of other requests, times that before`, during / baseline, 2),
      )
    }
  }
  const heads = [
    'keys at once',
    'valid',
    '503',
    'the last after',
    'event loop p99',
    'memory',
    'by-slug p99 before',
    'meanwhile',
  ]
  return { table: section('Keys for the first time, all at once', heads, lines), verdicts }
}

/** Keys with hashes like all others, made for acme without a word to anybody. */
async function manyKeys({ database }: KeyScene, number: number): Promise<string[]> {
  const keyring = parseKeyring(readFileSync(join(checkout, '.data', 'bench-keyring.json'), 'utf8'))
  const issuer = new KeyIssuer(keyring)
  const db = createDb({ connectionString: database.url, poolSize: 1 })
  const keys: string[] = []
  try {
    while (keys.length < number) {
      const minted = await Promise.all(Array.from({ length: 100 }, () => issuer.mint('live')))
      const rows = minted.map(({ prefix, hash, kid }) => {
        const id = newApiKeyId()
        const scopes = ['certifai:read']
        const own = {
          id,
          family_id: id,
          tenant_id: acmeId,
          name: 'Bench',
          environment: 'live' as const,
          audience: 'certifai',
        }
        return { ...own, scopes, prefix, hash, issuer_kid: kid }
      })
      await db.insertInto('api_keys').values(rows).execute()
      keys.push(...minted.map(({ text }) => text))
    }
    return keys.slice(0, number)
  } finally {
    await db.destroy()
  }
}

async function issue(port: number, token: string): Promise<{ id: string; key: string; prefix: string }> {
  const body = JSON.stringify({ name: 'Bench', scopes: ['certifai:read'] })
  const { status, text } = await post(port, `/v1/tenants/${acmeId}/api-keys`, token, body)
  if (status !== 201) throw new Error(`no key was issued: ${text}`)
  return JSON.parse(text) as { id: string; key: string; prefix: string }
}

function post(
  port: number,
  path: string,
  token: string,
  body: string,
  agent?: Agent,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    }
    const sent = request({ host: '127.0.0.1', port, path, method: 'POST', headers, agent }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
