import { version } from 'uuid'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { freshBytes } from './fresh-bytes.ts'

const millisecondOf = (id: string) => parseInt(id.replace('-', '').slice(0, 12), 16)

describe('newEventId', () => {
  // Each knows the last id that it made.
  let newEventId: () => string
  beforeEach(async () => {
    vi.resetModules()
    ;({ newEventId } = await import('./id.ts'))
  })
  afterEach(() => {
    vi.useRealTimers()
  })
  const some = (count: number) => Array.from({ length: count }, newEventId)

  it('is UUIDv7 of now', () => {
    const before = Date.now()
    const ids = some(1_000)
    expect(ids.every((id) => version(id) === 7)).toBe(true)
    expect(millisecondOf(ids[0] ?? '')).toBeGreaterThanOrEqual(before)
    expect(millisecondOf(ids.at(-1) ?? '')).toBeLessThanOrEqual(Date.now())
  })

  it('is greater than the one before, within a millisecond and where the clock is set back', () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
    const ids = some(50_000)
    vi.setSystemTime(Date.now() - 60_000)
    ids.push(...some(50_000))
    vi.setSystemTime(Date.now() + 120_000)
    ids.push(...some(50_000))
    expect(ids).toEqual(ids.toSorted())
    expect(new Set(ids).size).toBe(150_000)
  })

  it('shares nothing but its time with another one', () => {
    const tails = some(10_000).map((id) => id.slice(-12))
    expect(new Set(tails).size).toBe(10_000)
    // Of a bit that is not random, all are alike.
    for (let digit = 0; digit < 12; digit += 1) expect(new Set(tails.map((tail) => tail[digit])).size).toBe(16)
  })
})

describe('random bytes', () => {
  it('are given to nobody twice, nor any eight of them', () => {
    const given = Array.from({ length: 2_000 }, (_, at) => freshBytes(8 + (at % 25)).toString('hex'))
    const eights = given.flatMap((bytes) =>
      Array.from({ length: bytes.length / 2 - 7 }, (_, at) => bytes.slice(2 * at, 2 * at + 16)),
    )
    expect(new Set(eights).size).toBe(eights.length)
  })

  it('are as many as were asked for, or none', () => {
    expect(freshBytes(4_096)).toHaveLength(4_096)
    expect(() => freshBytes(4_097)).toThrow('at most 4096')
  })
})
