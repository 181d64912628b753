import type { Schema } from './hostile-schema.ts'

/** What is sent in place of a JSON value, as the text that it is on the wire: not all of it is a value in JavaScript. */
export type JsonText = string

const long = 'x'.repeat(5_000)

/** Texts that somebody, somewhere, has not expected. */
export const hostileTexts: readonly string[] = [
  '',
  ' ',
  '\t\r\n',
  'a\u0000b',
  '\ud800',
  'x\udfff',
  "' or 1=1; drop table tenants; --",
  '"; select pg_sleep(10); --',
  '$1 $$ \\ %s %n',
  '{{7*7}}${7*7}#{7*7}<%= 7*7 %>',
  '<script>alert(1)</script>',
  '../../../../etc/passwd',
  '%00%2e%2e%2f',
  'e\u0301\u202e\u200b\ufeff',
  'ﬃ İ ß ſ Å',
  '👩‍👩‍👧‍👦'.repeat(9),
  '__proto__',
  'constructor',
  'null',
  'NaN',
  '-1',
  '1e309',
  '9999-12-31T23:59:59.999Z',
  '0000-00-00T00:00:00Z',
  '2016-12-31T23:59:60Z',
  '+275760-09-13T00:00:00.001Z',
  '00000000-0000-0000-0000-000000000000',
  'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF',
  long,
]

/** Numbers, as they are written: most parsers read some of them as another one. */
const hostileNumbers: readonly JsonText[] = [
  '0',
  '-0',
  '-1',
  '1.5',
  '1e400',
  '-1e400',
  '1e-400',
  '9007199254740992',
  '9007199254740993',
  '9223372036854775808',
  '1'.repeat(400),
]

const nested = (open: string, close: string, levels: number) => open.repeat(levels) + close.repeat(levels)

const hostileShapes: readonly JsonText[] = [
  'null',
  'true',
  '[]',
  '{}',
  '[null]',
  '["a",["b"],{"c":1}]',
  '{"a":1,"a":2}',
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"":"","a\\u0000b":"\\u0000","\\ud800":"\\udfff"}',
  '{"toString":1,"valueOf":2,"toJSON":3,"then":4,"length":-1}',
  '{"length":{"toString":1,"valueOf":1}}',
]

/** Shapes that take a while to look at: for the places that take any value, and for whole bodies. */
export const heavyShapes: readonly JsonText[] = [
  `{${Array.from({ length: 2_000 }, (_, index) => `"k${index}":${index}`).join()}}`,
  `[${'0,'.repeat(20_000)}0]`,
  nested('[', ']', 10_000),
  `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
  `{"a":${nested('[', ']', 10_000)}}`,
  // As deep as a body can be.
  `{"a":${nested('[', ']', 120_000)}}`,
  `${'{"a":'.repeat(40_000)}1${'}'.repeat(40_000)}`,
]

/** Values for a place that has this schema: those that fit nowhere, and those that stand at its bounds. */
export function hostileValues(schema: Schema): JsonText[] {
  return [...new Set([...hostileShapes, ...hostileNumbers, ...hostileTexts.map(quoted), ...atTheBounds(schema)])]
}

const quoted = (text: string): JsonText => JSON.stringify(text)

function atTheBounds(schema: Schema): JsonText[] {
  const values: JsonText[] = []
  for (const each of alternatives(schema)) {
    for (const length of around(each.minLength, each.maxLength)) {
      if (length > 100_000) continue
      values.push(quoted('a'.repeat(length)), quoted('𝒳'.repeat(length)))
    }
    values.push(...around(each.minimum, each.maximum, each.exclusiveMinimum, each.exclusiveMaximum).map(String))
    for (const count of around(each.minItems, each.maxItems)) {
      if (count <= 10_000) values.push(`[${Array.from({ length: count }, () => '"a"').join()}]`)
    }
    for (const word of (each.enum ?? each['x-extensible-enum'] ?? []).map(String)) {
      values.push(quoted(word.toUpperCase()), quoted(` ${word}`), quoted(`${word}\u0000`), `[${quoted(word)}]`)
    }
    for (const example of each.examples ?? []) {
      if (typeof example === 'string') values.push(quoted(`${example}\n`), quoted(example.toUpperCase()))
      values.push(JSON.stringify([example]))
    }
  }
  return values
}

/** A schema, or each of those that it allows. */
export function alternatives(schema: Schema): readonly Schema[] {
  const some = schema.anyOf ?? schema.oneOf
  return some ? some.flatMap(alternatives) : [schema]
}

function around(...bounds: readonly (number | undefined)[]): number[] {
  const given = bounds.filter((bound) => bound !== undefined)
  return [...new Set(given.flatMap((bound) => [bound - 1, bound, bound + 1]))].filter(
    (bound) => bound >= -(2 ** 53) - 1 && (bound >= 0 || given.some((each) => each < 0) || bound === -1),
  )
}

/** Pieces of a URL, as they are written: half of them are no encoding of anything. */
export const hostilePieces: readonly string[] = [
  ...hostileTexts.filter((text) => text !== '' && text.isWellFormed() && text !== long).map(encodeURIComponent),
  '%',
  '%zz',
  '%ff',
  '%c0%af',
  '%ed%a0%80',
  '%00',
  '%252e%252e%252f',
  '..%2f..%2f',
  '%2e%2e',
  ';a=b',
  "'%22%3e",
  '+',
  'x'.repeat(7_000),
]

/** Whole bodies that no schema describes. */
export function hostileBodies(good: JsonText): readonly (JsonText | Buffer)[] {
  return [
    ' ',
    'nonsense',
    'undefined',
    'NaN',
    "{'a':1}",
    '{"a":1,}',
    '{"a":1}//',
    '\u0000',
    `${good}${good}`,
    `${good}]`,
    good.slice(0, -1),
    `\ufeff${good}`,
    `[${good}]`,
    quoted(good),
    `{"__proto__":${good}}`,
    ...hostileShapes,
    ...heavyShapes,
    ...hostileNumbers.slice(0, 5),
    `{${Array.from({ length: 5_000 }, (_, index) => `"k${index}":0`).join()}}`,
    nested('[', ']', 120_000),
    quoted('x'.repeat(300_000)),
    Buffer.from(good, 'utf16le'),
    Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xed, 0xa0, 0x80, 0xff, 0xc0, 0xaf]), Buffer.from('"}')]),
    Buffer.alloc(1_000),
  ]
}

/** Bytes at random places of a good body, the same ones in every run. */
export function* mutations(good: JsonText, count: number, seed: number): Generator<Buffer> {
  let state = seed
  const random = (below: number) => {
    // Park and Miller's: enough to be anywhere, and the same everywhere.
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
  for (let made = 0; made < count; made += 1) {
    const bytes = Buffer.from(good)
    for (let changes = 0; changes <= made % 3 && bytes.length > 0; changes += 1) {
      bytes[random(bytes.length)] = random(256)
    }
    yield made % 4 === 3 ? bytes.subarray(0, random(bytes.length + 1)) : bytes
  }
}
