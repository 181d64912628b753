import { createHash } from 'node:crypto'

/** One file has one text, whatever the checkout made of its line ends. */
export function normalised(text: string): string {
  return text.replaceAll('\r\n', '\n')
}

/** The sha256 of the LF-normalised text, in hex. */
export function checksumOf(text: string): string {
  return createHash('sha256').update(normalised(text)).digest('hex')
}

// Everything that may hold a semicolon without ending a statement comes before `;`. Block comments nest, so they are
// only opened here and closed below.
const token =
  /(?<comment>--[^\n]*)|(?<block>\/\*)|(?<quoted>[eE]'(?:\\[\s\S]|''|[^'\\])*'|'(?:''|[^'])*'|"(?:""|[^"])*"|\$(?<tag>[A-Za-z_]\w*)?\$[\s\S]*?\$\k<tag>\$)|(?<word>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|(?<end>;)|[\s\S]/g

/** The statements of an SQL text, without comments and without the semicolon that ends each. */
export function statementsOf(sql: string): string[] {
  const statements: string[] = []
  let statement = ''
  let previousWord = ''
  // Semicolons between `begin atomic` and its `end` belong to the function's body.
  let depth = 0
  token.lastIndex = 0
  for (let match = token.exec(sql); match !== null; match = token.exec(sql)) {
    const { comment, block, word, end } = match.groups ?? {}
    if (comment !== undefined) {
      statement += ' '
    } else if (block !== undefined) {
      token.lastIndex = endOfBlock(sql, token.lastIndex)
      statement += ' '
    } else if (end !== undefined && depth === 0) {
      statements.push(statement.trim())
      statement = ''
    } else {
      if (word !== undefined) {
        depth = depthAfter(depth, word.toLowerCase(), previousWord)
        previousWord = word.toLowerCase()
      }
      statement += match[0]
    }
  }
  statements.push(statement.trim())
  return statements.filter((text) => text !== '')
}

/** A statement without what stands in quotes of any kind: a name in a text or in a body is not a call. */
export function withoutQuoted(statement: string): string {
  return statement.replace(token, (match, ...rest) => {
    const groups: unknown = rest.at(-1)
    const quoted = typeof groups === 'object' && groups !== null && Reflect.get(groups, 'quoted') !== undefined
    return quoted ? "''" : match
  })
}

function depthAfter(depth: number, word: string, previous: string): number {
  if (word === 'atomic' && previous === 'begin') return depth + 1
  if (depth > 0 && word === 'case') return depth + 1
  return depth > 0 && word === 'end' ? depth - 1 : depth
}

function endOfBlock(sql: string, start: number): number {
  const mark = /\/\*|\*\//g
  mark.lastIndex = start
  let depth = 1
  for (let match = mark.exec(sql); match !== null; match = mark.exec(sql)) {
    depth += match[0] === '/*' ? 1 : -1
    if (depth === 0) return mark.lastIndex
  }
  return sql.length
}
