const shape = /^bpk_(?:live|test)_[0-9A-Za-z]{12}_[0-9A-Za-z]{57}$/
const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const checksumLength = 6

/**
 * Whether a text can be a key of the registry at all: its shape, and the checksum at its end. Whoever mistyped one, or
 * brings something else, is told so without asking anybody. It says nothing about whether there is such a key.
 */
export function isWellFormedKey(text: string): boolean {
  return shape.test(text) && text.endsWith(checksumOf(text.slice(0, -checksumLength)))
}

/** The end of a key: the CRC-32 of everything before it, as one number in base62. */
export function checksumOf(text: string): string {
  let crc = -1
  for (let at = 0; at < text.length; at += 1) {
    crc ^= text.charCodeAt(at)
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1))
  }
  let checksum = ''
  for (let rest = ~crc >>> 0; checksum.length < checksumLength; rest = Math.floor(rest / digits.length))
    checksum = (digits[rest % digits.length] ?? '') + checksum
  return checksum
}
