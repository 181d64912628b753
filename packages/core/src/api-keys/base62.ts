const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

const values: Uint8Array = (() => {
  const table = new Uint8Array(128)
  for (let value = 0; value < digits.length; value += 1) table[digits.charCodeAt(value)] = value
  return table
})()

/** A number in base62, with zeros before it up to a width. */
export function toBase62(number: number | bigint, width: number): string {
  let text = ''
  for (let rest = BigInt(number); rest > 0n; rest /= 62n) text = digits.charAt(Number(rest % 62n)) + text
  if (text.length > width) throw new Error(`the number does not fit into ${width} digits`)
  return text.padStart(width, '0')
}

/** The number that stands in base62 between two places of a text, which has nothing but digits there. At most 2^53. */
export function fromBase62(text: string, from: number, to: number): number {
  let number = 0
  for (let at = from; at < to; at += 1) number = number * 62 + (values[text.charCodeAt(at)] ?? 0)
  return number
}
