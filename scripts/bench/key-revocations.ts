import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { aRelay } from '../../test/postgres/relay.ts'
import { acmeId } from './acme.ts'
import type { ServerUnderLoad } from './children.ts'
import { issueKey, type KeyScene, post, verifyPath } from './key-scene.ts'
import { median } from './measure.ts'
import { atMost, count, type Finding, p99, section } from './report.ts'

/** How many keys are revoked in each way: enough for a p99 where one is asked for. */
const revocations = { heard: 200, killed: 30, swallowed: 10 } as const
const targets = { heardP99Milliseconds: 100, lostMilliseconds: 2_000 } as const
/** More than any state may be old. */
const neverMs = 35_000
/** By which PostgreSQL tells the listening connection of B from all others. */
const listenerOfB = 'bench listener of B'

/** Milliseconds from A's answer to a revocation until B refuses the key. */
export async function revokedElsewhere(scene: KeyScene): Promise<Finding> {
  const relay = await aRelay(scene.database.url)
  const owner = new Client({ connectionString: scene.database.url })
  const a = await scene.startReplica()
  const listenUrl = new URL(relay.url)
  listenUrl.searchParams.set('application_name', listenerOfB)
  const b = await scene.startReplica(listenUrl.href)
  try {
    await owner.connect()
    await untilHeard(owner)
    const heard = await revoke(scene, a, b, revocations.heard)
    const killed = await revoke(scene, a, b, revocations.killed, {
      before: async () => {
        await owner.query('select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1', [
          listenerOfB,
        ])
      },
      after: async () => await untilHeard(owner),
    })
    relay.swallow()
    const swallowed = await revoke(scene, a, b, revocations.swallowed)
    const lines = [
      line('hears of it', heard),
      line('has just lost its listening connection', killed),
      line('listens to a connection that nothing comes through', swallowed),
    ]
    return {
      table: section('Revoked on replica A, refused on replica B', ['B', 'revocations', 'p50', 'p99', 'most'], lines),
      verdicts: [
        atMost('revoked elsewhere: p99 in milliseconds', p99(heard), targets.heardP99Milliseconds),
        atMost(
          'revoked elsewhere, listener killed: milliseconds at most',
          Math.max(...killed),
          targets.lostMilliseconds,
        ),
        atMost(
          'revoked elsewhere, nothing comes through: milliseconds at most',
          Math.max(...swallowed),
          targets.lostMilliseconds,
        ),
      ],
    }
  } finally {
    await b.stop()
    await a.stop()
    await owner.end()
    await relay.close()
  }
}

/** Waits until B listens. */
async function untilHeard(owner: Client): Promise<void> {
  for (;;) {
    const { rowCount } = await owner.query(
      `select from pg_stat_activity where application_name = $1 and query like 'listen %' and state = 'idle'`,
      [listenerOfB],
    )
    if (rowCount) return
    await sleep(20)
  }
}

/** Revokes keys that are hot on B, and says for each how long B went on. */
async function revoke(
  { tokens, signal }: KeyScene,
  a: ServerUnderLoad,
  b: ServerUnderLoad,
  times: number,
  { before, after }: { readonly before?: () => Promise<void>; readonly after?: () => Promise<void> } = {},
): Promise<number[]> {
  const milliseconds: number[] = []
  while (milliseconds.length < times) {
    signal.throwIfAborted()
    const { id, key } = await issueKey(a)
    const code = async () => (await post<{ code: string }>(b, verifyPath, tokens.certifai, { key })).code
    if ((await code()) !== 'VALID') throw new Error('a key is not valid')
    await before?.()
    await post(a, `/v1/tenants/${acmeId}/api-keys/${id}/revoke`, a.token, { reason: 'compromised' })
    const since = performance.now()
    // Until the question was sent whose answer was no: what the answer takes belongs to every verification.
    let askedAt = since
    while ((await code()) === 'VALID') {
      askedAt = performance.now()
      if (askedAt - since > neverMs) throw new Error('a key that was revoked was never refused')
    }
    milliseconds.push(askedAt - since)
    await after?.()
  }
  return milliseconds
}

function line(what: string, of: readonly number[]): string[] {
  const [p50, slow, most] = [median(of), p99(of), Math.max(...of)].map((value) => `${value.toFixed(1)} ms`)
  return [what, count(of.length), p50 ?? '', slow ?? '', most ?? '']
}
