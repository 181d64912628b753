const dayMs = 86_400_000

const numbers = (of: number, digits: number) =>
  Array.from({ length: of }, (_, number) => String(number).padStart(digits, '0'))
const minutes = numbers(24, 2).flatMap((hour) => numbers(60, 2).map((minute) => `${hour}:${minute}:`))
const seconds = numbers(60, 2).map((second) => `${second}.`)
const milliseconds = numbers(1_000, 3).map((millisecond) => `${millisecond}Z`)

let lastDay = Number.NaN
let lastDate = ''

/**
 * A time as `toISOString` spells it, in a quarter of the time for those of one day: a page has 150 times, and an export
 * three in a row, nearly all of the same day as the one before.
 * @throws {RangeError} when it is no time
 */
export function isoTime(time: Date): string {
  const at = time.getTime()
  const day = Math.floor(at / dayMs)
  if (day !== lastDay) {
    lastDate = time.toISOString().slice(0, -'00:00:00.000Z'.length)
    lastDay = day
  }
  const rest = at - day * dayMs
  const second = Math.floor(rest / 1_000)
  return `${lastDate}${minutes[Math.floor(second / 60)]}${seconds[second % 60]}${milliseconds[rest % 1_000]}`
}
