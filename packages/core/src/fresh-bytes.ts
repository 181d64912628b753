import { randomFillSync } from 'node:crypto'

/** How many are asked of the system at a time: asking for a few takes as long. */
const atOnce = 4_096
let left = Buffer.alloc(0)

/** So many random bytes, at most 4 096, that nobody was given before. */
export function freshBytes(count: number): Buffer {
  if (count > atOnce) throw new Error(`at most ${atOnce} random bytes at a time, not ${count}`)
  if (left.length < count) left = randomFillSync(Buffer.allocUnsafeSlow(atOnce))
  const bytes = left.subarray(0, count)
  left = left.subarray(count)
  return bytes
}
