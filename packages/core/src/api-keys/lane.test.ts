import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Lane } from './lane.ts'

const bounds = { width: 2, waitingMax: 3, waitMsMax: 60_000 }

/** Work that ends when it is told to. */
function work() {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const begun: string[] = []
  return { begun, resolve, reject, run: async () => (begun.push('begun'), await promise) }
}

describe('a lane', () => {
  it('does as many things at once as it is wide, the others in their order', async () => {
    const lane = new Lane(bounds)
    const order: number[] = []
    const works = [work(), work(), work(), work()]
    const all = works.map((each, index) =>
      lane.run(`w${index}`, async () => {
        order.push(index)
        return await each.run()
      }),
    )
    expect([lane.active, lane.waiting]).toEqual([2, 2])
    works[1]?.resolve('second')
    await all[1]
    expect(order).toEqual([0, 1, 2])
    works[0]?.resolve('first')
    await all[0]
    expect(order).toEqual([0, 1, 2, 3])
    for (const each of works) each.resolve('done')
    expect(await Promise.all(all)).toEqual(['first', 'second', 'done', 'done'])
    expect([lane.active, lane.waiting, lane.done]).toEqual([0, 0, 4])
  })

  it('does once what many want at the same time, and again what is wanted later', async () => {
    const lane = new Lane(bounds)
    const one = work()
    const all = Array.from({ length: 100 }, () => lane.run('same', one.run))
    one.resolve('done')
    expect(new Set(await Promise.all(all))).toEqual(new Set(['done']))
    expect(one.begun).toHaveLength(1)
    await lane.run('same', one.run)
    expect(lane.done).toBe(2)
  })

  it('refuses one more than may wait, and goes on after errors', async () => {
    const lane = new Lane(bounds)
    const works = Array.from({ length: 5 }, work)
    const all = works.map((each, index) => lane.run(`w${index}`, each.run))
    await expect(lane.run('one more', work().run)).rejects.toMatchObject({
      code: 'api_key.lane_full',
      retryAfterSeconds: 2,
    })
    works[0]?.reject(new Error('broken'))
    await expect(all[0]).rejects.toThrow('broken')
    for (const each of works) each.resolve('done')
    expect(await Promise.all(all.slice(1))).toEqual(['done', 'done', 'done', 'done'])
    expect(lane.refused).toBe(1)
  })

  it('refuses what has waited for too long, and not what is being done', async () => {
    const lane = new Lane({ ...bounds, width: 1, waitMsMax: 50 })
    const slow = work()
    const first = lane.run('slow', slow.run)
    const late = lane.run('late', work().run)
    await expect(late).rejects.toMatchObject({ code: 'api_key.lane_full' })
    slow.resolve('done')
    expect(await first).toBe('done')
    expect(await lane.run('next', async () => 'next')).toBe('next')
  })

  it('drops what nobody waits for any more, and only that', async () => {
    const lane = new Lane({ ...bounds, width: 1 })
    const slow = work()
    const first = lane.run('slow', slow.run)
    const [shared, alone] = [work(), work()]
    const [a, b, c] = [new AbortController(), new AbortController(), new AbortController()]
    const waiting = [
      lane.run('shared', shared.run, a.signal),
      lane.run('shared', shared.run, b.signal),
      lane.run('alone', alone.run, c.signal),
    ]
    a.abort(new Error('gone'))
    c.abort(new Error('gone'))
    await expect(waiting[0]).rejects.toThrow('gone')
    await expect(waiting[2]).rejects.toThrow('gone')
    slow.resolve('done')
    shared.resolve('done')
    await first
    expect(await waiting[1]).toBe('done')
    await sleep(0)
    expect(alone.begun).toEqual([])
    await expect(lane.run('x', work().run, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone')
  })
})
