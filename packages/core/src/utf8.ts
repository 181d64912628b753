/** Below so many code units a loop is faster than a call out of JavaScript. */
const shortText = 48

/** Writes UTF-8, and answers where it ends. Half a surrogate pair becomes U+FFFD. */
export function writeText(bytes: Buffer, text: string, start: number): number {
  if (text.length > shortText) return start + bytes.write(text, start, 'utf8')
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code >= 0x80) return start + bytes.write(text, start, 'utf8')
    bytes[start + at] = code
  }
  return start + text.length
}
