import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RegistryError } from '../errors.ts'
import { parseSearch, searchBounds, type SearchExpression } from './search-language.ts'

const word = (text: string) => ({ kind: 'text', text, as: 'words' }) as const
const phrase = (text: string) => ({ kind: 'text', text, as: 'phrase' }) as const
const all = (...of: SearchExpression[]) => ({ kind: 'all', of }) as const
const any = (...of: SearchExpression[]) => ({ kind: 'any', of }) as const
const not = (of: SearchExpression) => ({ kind: 'not', of }) as const
const action = (...names: string[]) => ({ kind: 'action', names, prefixes: [] as string[] }) as const
const exact = (field: 'actor.id' | 'target.id' | 'group.id' | 'external_id' | 'product', ...values: string[]) =>
  ({ kind: 'exact', field, values }) as const
const time = (field: 'received' | 'created', from?: string, to?: string) => ({
  kind: 'time' as const,
  field,
  from: from === undefined ? undefined : new Date(from),
  to: to === undefined ? undefined : new Date(to),
})

describe('what is looked for', () => {
  it.each<[string, SearchExpression | undefined]>([
    ['', undefined],
    [' \t\n ', undefined],
    ['frozen', word('frozen')],
    ['audit.log.view', word('audit.log.view')],
    ['two words', all(word('two'), word('words'))],
    ["don't", word("don't")],
    ['"two words"', phrase('two words')],
    ["'two words'", phrase('two words')],
    ['"a \\"b\\" c"', phrase('a "b" c')],
    ['"never closed', all(word('"never'), word('closed'))],
    ['pre*', { kind: 'text', text: 'pre', as: 'prefix' }],
    ['*', undefined],
    ['Acme & Co', all(word('Acme'), word('Co'))],
    ['note:', word('note')],
    ['note: nothing', all(word('note'), word('nothing'))],
    ['-frozen', not(word('frozen'))],
    ['-', undefined],
    ['signed - acme', all(word('signed'), word('acme'))],
    ['NOT frozen', not(word('frozen'))],
    ['NOT NOT frozen', not(not(word('frozen')))],
    ['a OR b', any(word('a'), word('b'))],
    ['a b OR c', any(all(word('a'), word('b')), word('c'))],
    ['a AND b', all(word('a'), word('b'))],
    ['(a OR b) c', all(word('c'), any(word('a'), word('b')))],
    ['-(a b)', not(all(word('a'), word('b')))],
    ['-(a', word('a')],
    ['NOT (a b)', not(all(word('a'), word('b')))],
    ['OR', word('OR')],
    ['NOT', word('NOT')],
    ['a OR', all(word('a'), word('OR'))],
    ['OR a', all(word('OR'), word('a'))],
    ['()', undefined],
    ['(a', word('a')],
    ['a)', word('a')],
    ['call f(a b)', all(word('call'), word('f(a'), word('b'))],
    ['f(x)', word('f(x)')],
    ['12:30', word('12:30')],
    ['https://example.com/a', word('https://example.com/a')],
    ['status:frozen', word('frozen')],
    ['status:"on hold"', phrase('on hold')],
    ['location:Berlin', word('Berlin')],
    ['action:""', undefined],
    ['action:" "', undefined],
    ['actor.name:%!q(MISSING)', undefined],
    ['crud:', undefined],
    ['crud:,', undefined],
    ['fields.a:', undefined],
    ['fields."a b":', undefined],
    ['fields.a:""', undefined],
    ['-fields.a:', undefined],
  ])('%j', (query, expected) => {
    expect(parseSearch(query)).toEqual(expected)
  })
})

describe('what is said of something', () => {
  it.each<[string, SearchExpression]>([
    ['action:tenant.frozen', action('tenant.frozen')],
    ['action:a,b', action('a', 'b')],
    ['action:"a,b"', action('a', 'b')],
    ['action:"a","b c"', action('a', 'b c')],
    ['action:a action:b', action('a', 'b')],
    ['action:a word action:b', all(action('a', 'b'), word('word'))],
    ['action:a (action:b)', all(action('a'), action('b'))],
    ['action:a OR action:b', any(action('a'), action('b'))],
    ['action:a -action:b', all(action('a'), not(action('b')))],
    ['action:tenant.*', { kind: 'action', names: [], prefixes: ['tenant.'] }],
    ['action:*', { kind: 'action', names: [], prefixes: [''] }],
    ['action:"a "', action('a ')],
    ['actor.id:"a, b"', { kind: 'exact', field: 'actor.id', values: ['a', 'b'] }],
    // As the Go client spells the name of an actor in a `StructuredQuery`.
    ['actor.name:%!q(MISSING)Ann', { kind: 'words', field: 'actor.name', values: ['Ann'] }],
    ['crud:c,u,d', { kind: 'crud', values: ['c', 'u', 'd'] }],
    ['actor.id:jane,joe', exact('actor.id', 'jane', 'joe')],
    ['group.id:"a b"', exact('group.id', 'a b')],
    ['target.id:x external_id:y', all(exact('target.id', 'x'), exact('external_id', 'y'))],
    ['product:certifai', exact('product', 'certifai')],
    ['actor.name:"Jane Doe"', { kind: 'words', field: 'actor.name', values: ['Jane Doe'] }],
    ['is_failure:true', { kind: 'flag', field: 'is_failure', values: [true] }],
    ['is_anonymous:true,false', { kind: 'flag', field: 'is_anonymous', values: [true, false] }],
    ['fields.record_id:7', { kind: 'entry', name: 'record_id', values: ['7'] }],
    ['fields.a.b:"x y"', { kind: 'entry', name: 'a.b', values: ['x y'] }],
    ['fields.größe:5', { kind: 'entry', name: 'größe', values: ['5'] }],
    ['fields.a/b:x:y', { kind: 'entry', name: 'a/b', values: ['x:y'] }],
    ['fields.(a):x', { kind: 'entry', name: '(a)', values: ['x'] }],
    ['fields.url:https://x', { kind: 'entry', name: 'url', values: ['https://x'] }],
    ['fields."a b":x', { kind: 'entry', name: 'a b', values: ['x'] }],
    [`fields.'a: "b"':"x y"`, { kind: 'entry', name: 'a: "b"', values: ['x y'] }],
    [String.raw`fields."a\"b":x`, { kind: 'entry', name: 'a"b', values: ['x'] }],
    ['-fields."a b":x', { kind: 'not', of: { kind: 'entry', name: 'a b', values: ['x'] } }],
    ['-fields.größe: x', word('x')],
    ['fields.__proto__:x', { kind: 'entry', name: '__proto__', values: ['x'] }],
    ['constructor:x', word('x')],
    ['__proto__:x', word('x')],
    ['fields.:x', word('x')],
    ['Action:a', word('a')],
    ['received:2026-01-01,2026-02-01', time('received', '2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z')],
    ['received:2026-01-01,', time('received', '2026-01-01T00:00:00Z')],
    ['created:,2026-01-01T12:30', time('created', undefined, '2026-01-01T12:30:00Z')],
    [
      'received:2026-01-01T00:00:00+02:00,2026-01-01T00:00:00.5Z',
      time('received', '2025-12-31T22:00:00Z', '2026-01-01T00:00:00.5Z'),
    ],
    ['received:"2026-01-01 10:00, 2026-01-02"', time('received', '2026-01-01T10:00:00Z', '2026-01-02T00:00:00Z')],
  ])('%s', (query, expected) => {
    expect(parseSearch(query)).toEqual(expected)
  })

  it('all that the clients of Retraced send at once', () => {
    const sent =
      'action:"a.b,c.*" crud:c,u received:2026-01-01T00:00:00.000Z,2026-01-02T00:00:00.000Z actor.name:"Jane" actor.id:"j" description:"x y" location:"DE"'
    expect(parseSearch(sent)).toEqual(
      all(
        { kind: 'action', names: ['a.b'], prefixes: ['c.'] },
        { kind: 'crud', values: ['c', 'u'] },
        { kind: 'words', field: 'actor.name', values: ['Jane'] },
        exact('actor.id', 'j'),
        { kind: 'words', field: 'description', values: ['x y'] },
        time('received', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'),
        word('DE'),
      ),
    )
  })
})

describe('what has no meaning', () => {
  it.each([
    ['crud:x', /crud is c, r, u, d/],
    ['crud:cud', /not "cud"/],
    ['is_failure:yes', /is_failure is true or false, not "yes"/],
    ['received:2026-01-01', /a beginning and an end/],
    ['received:a,b', /received: "a" is no time/],
    ['received:2026-02-30,', /no time/],
    ['created:2026-01-01,2026-01-02,2026-01-03', /a beginning and an end/],
    ['-created:x,y', /no time/],
    [`${'('.repeat(searchBounds.depth + 1)}a${')'.repeat(searchBounds.depth + 1)}`, /at most 10 deep/],
    ['a '.repeat(searchBounds.terms + 1), /more than 50 terms/],
    [`actor.id:${'a,'.repeat(searchBounds.terms)}a`, /more than 50 terms/],
    [`crud:${'x'.repeat(5_000)}`, /…"/],
  ])('%s is refused in words', (query, words) => {
    const look = () => parseSearch(query)
    expect(look).toThrow(RegistryError)
    try {
      look()
    } catch (error) {
      expect(error).toMatchObject({ code: 'audit_search.invalid' })
      expect((error as RegistryError).detail).toMatch(words)
      expect((error as RegistryError).detail?.length).toBeLessThan(300)
    }
  })
})

describe('whatever is written', () => {
  const pieces = fc.constantFrom(
    '"',
    "'",
    '(',
    ')',
    '-',
    ':',
    ',',
    '\\',
    ' ',
    '*',
    'OR',
    'NOT',
    'AND',
    'action',
    'crud',
    'c',
    'received',
    '2026-01-01',
    'fields.',
    'ä',
    '\u{1F600}',
  )

  it('is read or refused, and takes no time', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string({ unit: 'binary' })), { maxLength: 60 }), (parts) => {
        try {
          parseSearch(parts.join(''))
        } catch (error) {
          expect(error).toMatchObject({ code: 'audit_search.invalid' })
        }
      }),
      { numRuns: 2_000 },
    )
    // What takes more than linear time does not come to an end within the time of a test.
    for (const piece of ['"', "'", '(', ')', '\\', '-', 'a:"', ',"', '("', "a:'\\"]) {
      try {
        parseSearch(piece.repeat(20_000))
      } catch {
        // Too much at once.
      }
    }
  })

  it('in quotes is looked for as it stands', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, maxLength: 50 }).filter((text) => /[\p{L}\p{N}]/u.test(text)),
        (text) => {
          const quoted = `"${text.replaceAll(/["\\]/g, '\\$&')}"`
          expect(parseSearch(quoted)).toEqual(phrase(text))
          expect(parseSearch(`(${quoted}) OR ${quoted}`)).toEqual(any(phrase(text), phrase(text)))
        },
      ),
    )
  })
})
