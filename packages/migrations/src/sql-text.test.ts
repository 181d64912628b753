import { describe, expect, it } from 'vitest'
import { checksumOf, statementsOf, withoutQuoted } from './sql-text.ts'

describe('checksumOf', () => {
  it('is the same for the line ends of every system, and for nothing else', () => {
    expect(checksumOf('a\r\nb\r\n')).toBe(checksumOf('a\nb\n'))
    expect(checksumOf('a\nb')).not.toBe(checksumOf('a\nb\n'))
    expect(checksumOf('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  })
})

describe('statementsOf', () => {
  it.each<[string, string, string[]]>([
    ['nothing', ' -- only a comment\n/* and /* a */ block */ ;; ', []],
    ['two', 'select 1; select 2', ['select 1', 'select 2']],
    ['quotes', `select ';''', ";""", e'\\';', E'\\\\'; x`, [`select ';''', ";""", e'\\';', E'\\\\'`, 'x']],
    ['no escape string', `select 'a\\'; select 2`, [`select 'a\\'`, 'select 2']],
    ['dollar quotes', 'do $$ begin; end $$; do $a$ $$;$b$ $a$; x', ['do $$ begin; end $$', 'do $a$ $$;$b$ $a$', 'x']],
    ['a comment in a quote', `select '--;'; select 2`, [`select '--;'`, 'select 2']],
    ['a quote in a comment', `select 1 -- don't;\n; select 2`, ['select 1', 'select 2']],
    [
      'an atomic body',
      'create function f() returns int begin atomic select case when true then 1 end; select 2; end; select 3',
      ['create function f() returns int begin atomic select case when true then 1 end; select 2; end', 'select 3'],
    ],
    ['a name with a dollar', 'select a$b$; select c$b$', ['select a$b$', 'select c$b$']],
  ])('%s', (_, sql, statements) => {
    expect(statementsOf(sql)).toEqual(statements)
  })
})

describe('withoutQuoted', () => {
  it('takes away texts, quoted names and bodies, and nothing else', () => {
    expect(withoutQuoted(`select 'a''b', "c", E'\\'', $$ d $$, $x$ $$ $x$, e$f`)).toBe(`select '', '', '', '', '', e$f`)
  })
})
