import { describe, expect, it } from 'vitest'
import { parseDuration } from './duration.ts'

describe('parseDuration', () => {
  it.each([
    ['0', 0],
    ['500ms', 500],
    ['60s', 60_000],
    ['5m', 300_000],
    ['24h', 86_400_000],
  ])('reads %s', (text, durationMs) => {
    expect(parseDuration(text)).toBe(durationMs)
  })

  it.each(['', '60', 's', '-1s', '1.5s', '60 s', '60S', '25h', '999999999s'])('refuses "%s"', (text) => {
    expect(parseDuration(text)).toBeUndefined()
  })
})
