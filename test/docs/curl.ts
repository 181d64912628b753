#!/usr/bin/env node
/**
 * Stands in for curl where a machine has none, with as much of it as the README uses: a URL, `-X`, `-H`, `-d`, and `-f`
 * among other short flags.
 */
const words = process.argv.slice(2)
const valued = new Map<string, string[]>()
let url = ''
let failing = false
for (let word = words.shift(); word !== undefined; word = words.shift()) {
  if (/^-[XHd]$/.test(word)) valued.set(word, [...(valued.get(word) ?? []), words.shift() ?? ''])
  else if (/^-[sSf]+$/.test(word)) failing ||= word.includes('f')
  else if (word.startsWith('-')) throw new Error(`curl: ${word} is not known here`)
  else url = word
}
const [body] = valued.get('-d') ?? []
const response = await fetch(url, {
  method: valued.get('-X')?.[0] ?? (body === undefined ? 'GET' : 'POST'),
  headers: (valued.get('-H') ?? []).map((header) => header.split(/: */, 2) as [string, string]),
  ...(body !== undefined && { body }),
})
if (failing && !response.ok) process.exit(22)
process.stdout.write(await response.text())
