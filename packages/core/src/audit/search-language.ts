import { RegistryError } from '../errors.ts'
import { Timestamp } from '../timestamp.ts'

/** What of an event has to be one of some values, exactly. */
const exactFields = [
  'actor.id',
  'target.id',
  'group.id',
  'external_id',
  'product',
  'component',
  'version',
  'source_ip',
] as const
/** What of an event has to have some words in it. */
const wordFields = ['actor.name', 'target.name', 'target.type', 'group.name', 'description'] as const
const flagFields = ['is_failure', 'is_anonymous'] as const
const timeFields = ['received', 'created'] as const

export type ExactField = (typeof exactFields)[number]
export type WordField = (typeof wordFields)[number]
export type FlagField = (typeof flagFields)[number]
export type TimeField = (typeof timeFields)[number]

/** What is asked of an event. */
export type SearchExpression =
  | { readonly kind: 'all' | 'any'; readonly of: readonly SearchExpression[] }
  | { readonly kind: 'not'; readonly of: SearchExpression }
  /** Words anywhere in it: all of them, in this order one after the other, or as the beginning of one. */
  | { readonly kind: 'text'; readonly text: string; readonly as: 'words' | 'phrase' | 'prefix' }
  | { readonly kind: 'action'; readonly names: readonly string[]; readonly prefixes: readonly string[] }
  | { readonly kind: 'crud'; readonly values: readonly string[] }
  | { readonly kind: 'exact'; readonly field: ExactField; readonly values: readonly string[] }
  | { readonly kind: 'words'; readonly field: WordField; readonly values: readonly string[] }
  | { readonly kind: 'flag'; readonly field: FlagField; readonly values: readonly boolean[] }
  /** From the first instant on, and before the second. */
  | {
      readonly kind: 'time'
      readonly field: TimeField
      readonly from?: Date | undefined
      readonly to?: Date | undefined
    }
  /** An entry of `fields`: its value, or one of the values that commas make of it. */
  | { readonly kind: 'entry'; readonly name: string; readonly values: readonly string[] }

/** How much may be asked for at once. */
export const searchBounds = { terms: 50, depth: 10 } as const

/**
 * Reads what somebody looks for in the log: docs/audit-search.md has the language. It is that of Retraced's clients
 * (the npm package `search-query-parser`, and the part of Lucene's language that its viewers knew), and what has no
 * meaning in it is looked for as it stands, so that nobody has to know it to find a word.
 * @returns nothing when nothing is asked for
 * @throws {RegistryError} `audit_search.invalid` for a time, a flag or a letter that is none, and for too much at once
 */
export function parseSearch(query: string): SearchExpression | undefined {
  return new Parser(query).parse()
}

type Token =
  | { readonly kind: 'open' | 'close' | 'or' | 'and' | 'not'; readonly text: string }
  | { readonly kind: 'term'; readonly expression: SearchExpression | undefined; readonly negated: boolean }

class Parser {
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(query: string) {
    this.#tokens = tokensOf(query)
  }

  parse(): SearchExpression | undefined {
    const found: (SearchExpression | undefined)[] = []
    while (this.#at < this.#tokens.length) found.push(this.#any(0))
    return join('all', found)
  }

  #any(depth: number): SearchExpression | undefined {
    const of = [this.#all(depth)]
    while (this.#tokens[this.#at]?.kind === 'or') {
      this.#at += 1
      of.push(this.#all(depth))
    }
    return join('any', of)
  }

  #all(depth: number): SearchExpression | undefined {
    const [said, rest]: [(SearchExpression | undefined)[], (SearchExpression | undefined)[]] = [[], []]
    for (;;) {
      const token = this.#tokens[this.#at]
      if (!token || token.kind === 'or' || token.kind === 'close') return join('all', [...together(said), ...rest])
      const isSaid = token.kind === 'term' && !token.negated
      ;(isSaid ? said : rest).push(this.#one(token, depth))
    }
  }

  #one(token: Token, depth: number): SearchExpression | undefined {
    this.#at += 1
    if (token.kind === 'term') return token.negated ? not(token.expression) : token.expression
    if (token.kind === 'not') {
      const next = this.#tokens[this.#at]
      return next && not(this.#one(next, depth))
    }
    if (token.kind !== 'open') return undefined
    if (depth >= searchBounds.depth) throw invalid(`Parentheses go at most ${searchBounds.depth} deep.`)
    const inside = this.#any(depth + 1)
    // Every parenthesis that is one has its partner.
    this.#at += 1
    return inside
  }
}

const not = (of: SearchExpression | undefined): SearchExpression | undefined => of && { kind: 'not', of }

function join(kind: 'all' | 'any', of: readonly (SearchExpression | undefined)[]): SearchExpression | undefined {
  const asked = of.filter((each) => each !== undefined)
  return asked.length > 1 ? { kind, of: asked } : asked[0]
}

/** What is said of one thing more than once is a list: `action:a action:b` is either. Times are not: both hold. */
function together(of: readonly (SearchExpression | undefined)[]): SearchExpression[] {
  const lists = new Map<string, SearchExpression>()
  const rest: SearchExpression[] = []
  for (const each of of) {
    if (!each) continue
    const name = listName(each)
    const before = name === undefined ? undefined : lists.get(name)
    if (name === undefined) rest.push(each)
    else lists.set(name, before ? { ...before, ...added(before, each) } : each)
  }
  return [...lists.values(), ...rest]
}

function listName(each: SearchExpression): string | undefined {
  if (each.kind === 'action' || each.kind === 'crud') return each.kind
  if (each.kind === 'exact' || each.kind === 'words' || each.kind === 'flag') return each.field
  return each.kind === 'entry' ? `fields.${each.name}` : undefined
}

/** The lists of two expressions of one name. */
function added(before: SearchExpression, after: SearchExpression): object {
  if (before.kind === 'action' && after.kind === 'action') {
    return { names: [...before.names, ...after.names], prefixes: [...before.prefixes, ...after.prefixes] }
  }
  return 'values' in before && 'values' in after ? { values: [...before.values, ...after.values] } : {}
}

/** What separates terms. */
const space = /\s/

/** The terms, and what joins them. A parenthesis without its partner, and a joint with nothing to join, are words. */
function tokensOf(query: string): Token[] {
  const raw = split(query)
  // A list is as dear as its values.
  const values = raw.reduce((sum, { text }) => sum + text.split(',').length, 0)
  if (values > searchBounds.terms) throw invalid(`There are more than ${searchBounds.terms} terms and values.`)
  return raw.map((each, index) => {
    const { text, quoted } = each
    const before = raw[index - 1]
    const after = raw[index + 1]
    if (each.paren) return { kind: each.paren, text }
    const isLast = !after || after.paren === 'close' || isJoint(after)
    const isFirst = !before || before.paren === 'open' || isJoint(before)
    if (text === '-' && after?.paren === 'open') return { kind: 'not', text }
    if (!quoted && text === 'NOT' && !isLast) return { kind: 'not', text }
    if (!quoted && text === 'OR' && !isLast && !isFirst) return { kind: 'or', text }
    // Between two terms it says what holds anyway.
    if (!quoted && text === 'AND' && !isLast && !isFirst) return { kind: 'and', text }
    return termOf(text)
  })
}

interface RawToken {
  readonly text: string
  readonly quoted: boolean
  readonly paren?: 'open' | 'close'
}

const isJoint = ({ text, quoted }: RawToken) => !quoted && (text === 'OR' || text === 'AND')

/** Cuts at white space outside of quotes, and takes off the parentheses that have partners. */
function split(query: string): RawToken[] {
  const words: { text: string; quoted: boolean }[] = []
  let at = 0
  while (at < query.length) {
    if (space.test(query.charAt(at))) {
      at += 1
      continue
    }
    if (query.charAt(at) === '(' || query.charAt(at) === ')') {
      words.push({ text: query.charAt(at), quoted: false })
      at += 1
      continue
    }
    const from = at
    at = endOfTerm(query, at)
    words.push({ text: query.slice(from, at), quoted: /["']/.test(query.slice(from, at)) })
  }
  const partners = new Map<number, 'open' | 'close'>()
  const open: number[] = []
  for (const [index, { text }] of words.entries()) {
    if (text === '(') open.push(index)
    const opened = text === ')' ? open.pop() : undefined
    if (opened === undefined) continue
    partners.set(opened, 'open')
    partners.set(index, 'close')
  }
  return words.map((word, index) => {
    const paren = partners.get(index)
    return paren ? { ...word, paren } : word
  })
}

const quotes: ReadonlySet<string> = new Set(['"', "'"])

/** Where a term ends. A quote opens one only where a value can begin, or the name of an entry: `don't` is a word. */
function endOfTerm(query: string, start: number): number {
  let at = start
  let nested = 0
  if (query.charAt(at) === '-') at += 1
  // Before a parenthesis it stands alone.
  if (at > start && query.charAt(at) === '(') return at
  const nameAt = at + entryPrefix.length
  for (let mayQuote = true; at < query.length; at += 1) {
    mayQuote ||= at === nameAt && query.startsWith(entryPrefix, nameAt - entryPrefix.length)
    const letter = query.charAt(at)
    if (mayQuote && quotes.has(letter)) {
      const end = endOfQuoted(query, at)
      if (end !== undefined) at = end
      mayQuote = false
      continue
    }
    if (space.test(letter)) break
    if (letter === '(') nested += 1
    if (letter === ')') {
      if (nested === 0) break
      nested -= 1
    }
    mayQuote = letter === ':' || letter === ','
  }
  return at
}

/** Where the quote is that closes the one at `at`; nothing when none does. */
function endOfQuoted(query: string, at: number): number | undefined {
  for (let end = at + 1; end < query.length; end += 1) {
    if (query.charAt(end) === '\\') end += 1
    else if (query.charAt(end) === query.charAt(at)) return end
  }
  return undefined
}

/** What stands before the name of an entry of `fields`. */
const entryPrefix = 'fields.'

/** The name of an entry, whatever is in it: in quotes, or up to the first colon; and what is said of it. */
const entryNamed = /^fields\.(?:(["'])((?:\\.|(?!\1)[^\\])+)\1|([^:]+)):(.*)$/s

/** A name that may have a meaning, its colon, and what is said of it. */
const named = /^([A-Za-z_][\w.-]*):(.*)$/s

function termOf(word: string): Token {
  const negated = word.length > 1 && word.startsWith('-')
  const text = negated ? word.slice(1) : word
  const entry = entryNamed.exec(text)
  if (entry) return { kind: 'term', negated, expression: entryOf(entry) }
  const [, name, said = ''] = named.exec(text) ?? []
  if (name === undefined || said.startsWith('//')) return { kind: 'term', negated, expression: freeText(text) }
  const make = Object.hasOwn(meanings, name) ? meanings[name] : undefined
  if (said === '') return { kind: 'term', negated, expression: make ? undefined : freeText(name) }
  if (make) return { kind: 'term', negated, expression: make(said, name) }
  // Of an unknown name what is said of it is looked for, as Retraced does: names are not in the text of events.
  return { kind: 'term', negated, expression: freeText(said) }
}

function entryOf([, , quoted, plain = '', said = '']: RegExpExecArray): SearchExpression | undefined {
  const values = listOf(said)
  const name = quoted === undefined ? plain : unescaped(quoted)
  return values.length > 0 ? { kind: 'entry', name, values } : undefined
}

function freeText(word: string): SearchExpression | undefined {
  const text = unquoted(word)
  // Punctuation alone is in no word: `Acme & Co` is looked for as `Acme Co`.
  if (!/[\p{L}\p{N}]/u.test(text)) return undefined
  if (text !== word) return { kind: 'text', text, as: 'phrase' }
  const prefix = text.replace(/\*+$/, '')
  if (prefix !== text && prefix !== '') return { kind: 'text', text: prefix, as: 'prefix' }
  return { kind: 'text', text, as: 'words' }
}

/** A value without the quotes around it or its parts. */
function unquoted(value: string): string {
  return value.replaceAll(
    /(^|,)(["'])((?:\\.|(?!\2)[^\\])*)\2(?=,|$)/gs,
    (_, before: string, _quote, inside: string) => {
      return before + unescaped(inside)
    },
  )
}

const unescaped = (inside: string) => inside.replaceAll(/\\(.)/gs, '$1')

/** Commas make a list, in quotes as well. */
const listOf = (said: string) =>
  unquoted(said)
    .split(',')
    .map((value) => value.trim())
    .filter((value) => value !== '')

/** The same where a value is meant to the letter: with the blanks at its ends, unless they may be those of a list. */
function lettersOf(said: string): string[] {
  const value = unquoted(said)
  return value.includes(',') || value.trim() === '' ? listOf(said) : [value]
}

/** The same without what the Go client's `StructuredQuery` says before the name of an actor, by a slip of its format. */
const wordsOf = (said: string) =>
  listOf(said)
    .map((value) => value.replace(/^%!q\(MISSING\)/, ''))
    .filter((value) => value !== '')

type Meaning = (said: string, name: string) => SearchExpression | undefined

/** Makes something of a list, unless it is empty. */
const list =
  (make: (values: readonly string[], name: string) => SearchExpression, read = listOf): Meaning =>
  (said, name) => {
    const values = read(said)
    return values.length > 0 ? make(values, name) : undefined
  }

const meanings: Readonly<Record<string, Meaning>> = {
  action: list(
    (values) => ({
      kind: 'action',
      names: values.filter((value) => !value.endsWith('*')),
      prefixes: values.filter((value) => value.endsWith('*')).map((value) => value.slice(0, -1)),
    }),
    lettersOf,
  ),
  crud: list((values) => {
    const wrong = values.find((value) => !/^[crud]$/.test(value))
    if (wrong !== undefined)
      throw invalid(`crud is c, r, u, d or several of them with commas between, not ${spell(wrong)}.`)
    return { kind: 'crud', values }
  }),
  ...Object.fromEntries(
    exactFields.map((field) => [
      field,
      list((values): SearchExpression => ({ kind: 'exact', field, values }), lettersOf),
    ]),
  ),
  ...Object.fromEntries(
    wordFields.map((field) => [field, list((values): SearchExpression => ({ kind: 'words', field, values }), wordsOf)]),
  ),
  ...Object.fromEntries(
    flagFields.map((field) => [
      field,
      list((values): SearchExpression => {
        const wrong = values.find((value) => value !== 'true' && value !== 'false')
        if (wrong !== undefined) throw invalid(`${field} is true or false, not ${spell(wrong)}.`)
        return { kind: 'flag', field, values: values.map((value) => value === 'true') }
      }),
    ]),
  ),
  ...Object.fromEntries(timeFields.map((field) => [field, (said: string) => timeOf(field, unquoted(said))])),
  // Where somebody is, nobody knows: it can only be among the words.
  location: (said) => freeText(unquoted(said)),
}

function timeOf(field: TimeField, said: string): SearchExpression | undefined {
  const ends = said.split(',').map((end) => end.trim())
  const [from = '', to = ''] = ends
  if (from === '' && to === '') return undefined
  if (ends.length !== 2) {
    throw invalid(
      `${field} is a beginning and an end with a comma between, one of which may be missing, not ${spell(said)}.`,
    )
  }
  return { kind: 'time', field, from: instant(field, from), to: instant(field, to) }
}

/** A day, or a time of day as well; in UTC where it says no offset. */
const spelling = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/i

function instant(field: TimeField, text: string): Date | undefined {
  if (text === '') return undefined
  const [, day, time = '00:00', seconds = ':00', offset = 'Z'] = spelling.exec(text) ?? []
  const exact = offset.toUpperCase().replace(/^([+-]\d\d)(\d\d)$/, '$1:$2')
  const { success, data } = Timestamp.safeDecode(`${day}T${time}${seconds}${exact}`)
  if (!success) throw invalid(`${field}: ${spell(text)} is no time.`)
  return data
}

/** What somebody wrote, in a sentence of ours. */
const spell = (text: string) => JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text)

const invalid = (detail: string) => new RegistryError('audit_search.invalid', { detail })
