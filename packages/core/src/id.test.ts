import { version } from 'uuid'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { freshBytes } from './fresh-bytes.ts'
import { newEventId } from './id.ts'

const some = (count: number) => Array.from({ length: count }, newEventId)
const millisecondOf = (id: string) => parseInt(id.replace('-', '').slice(0, 12), 16)

describe('newEventId', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

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

it('random bytes are given to nobody twice', () => {
  const given = Array.from({ length: 5_000 }, (_, at) => freshBytes(8 + (at % 25)).toString('hex'))
  expect(new Set(given.map((bytes) => bytes.slice(0, 16))).size).toBe(5_000)
})
