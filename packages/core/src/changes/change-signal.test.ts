import { describe, expect, it } from 'vitest'
import { ChangeSignal } from './change-signal.ts'

const patience = { timeoutMs: 60_000 }
const errors: Error[] = []
const aSignal = (placesMax = 10) => new ChangeSignal(placesMax, (error) => errors.push(error))

describe('passed', () => {
  it('does not wait for a place that is passed already', async () => {
    const signal = aSignal()
    signal.advance(5)
    expect(await signal.passed(4, patience)).toBe(true)
  })

  it('goes on when the feed passes the place, and not before', async () => {
    const signal = aSignal()
    signal.advance(5)
    const passed: string[] = []
    const five = signal.passed(5, patience).then(() => passed.push('five'))
    const six = signal.passed(6, patience).then(() => passed.push('six'))
    signal.advance(6)
    await five
    expect(passed).toEqual(['five'])
    signal.advance(7)
    await six
    expect(signal.isWatched).toBe(false)
  })

  it('goes on for everybody when it is not known what happened', async () => {
    const signal = aSignal()
    signal.advance(5)
    const waiters = [signal.passed(5, patience), signal.passed(900, patience)]
    signal.startOver(3)
    expect(await Promise.all(waiters)).toEqual([true, true])
    expect(signal.head).toBe(3)
  })

  it('ends with the patience, with the caller, and with the process, and keeps nothing of it', async () => {
    const signal = aSignal()
    expect(await signal.passed(0, { timeoutMs: 1 })).toBe(false)
    const gone = new AbortController()
    const waiting = signal.passed(0, { ...patience, signal: gone.signal })
    gone.abort()
    expect(await waiting).toBe(false)
    expect(await signal.passed(0, { ...patience, signal: gone.signal })).toBe(false)
    const last = signal.passed(0, patience)
    signal.hurry(0)
    expect(await last).toBe(false)
    expect(await signal.passed(0, patience)).toBe(false)
    expect(signal.isWatched).toBe(false)
  })
})

describe('withPlace', () => {
  it('refuses one more than there are places, and gives a place back whatever happens in it', async () => {
    const signal = aSignal(2)
    const wait = () => signal.withPlace(() => signal.passed(0, patience))
    const waiters = [wait(), wait()]
    await expect(wait()).rejects.toMatchObject({ code: 'changes.too_many_waiters', retryAfterSeconds: 2 })
    signal.advance(1)
    await Promise.all(waiters)
    await expect(signal.withPlace(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
    expect(signal.waiting).toBe(0)
  })
})

describe('subscribe', () => {
  it('tells of every step forward once, of new beginnings as such, and of nothing after its end', () => {
    const signal = aSignal()
    const heard: [number, boolean][] = []
    const end = signal.subscribe((head, mayHaveMissed) => heard.push([head, mayHaveMissed]))
    signal.advance(1)
    signal.advance(1)
    signal.advance(3)
    signal.startOver(3)
    end()
    signal.advance(4)
    expect(heard).toEqual([
      [1, false],
      [3, false],
      [3, true],
    ])
  })

  it('tells the others when one of them fails', () => {
    const signal = aSignal()
    const heard: number[] = []
    signal.subscribe(() => {
      throw new Error('broken')
    })
    signal.subscribe((head) => heard.push(head))
    signal.advance(1)
    expect(heard).toEqual([1])
    expect(errors.map(({ message }) => message)).toEqual(['broken'])
  })
})
