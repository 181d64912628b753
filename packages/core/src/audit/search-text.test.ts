import { describe, expect, it } from 'vitest'
import { searchable } from './search-text.ts'

describe('what is searched', () => {
  it.each([
    'jane@acme.example opened https://acme.example/a_b/c?d=e from 2001:db8::1',
    'some_name_of_a_thing and /usr/local/lib/node',
    '<b>bold</b> & "quoted"',
    `a ${'word'.repeat(64)} of 256`,
    '',
  ])('stays as it is: %s', (text) => {
    expect(searchable(text)).toBe(text)
  })

  it.each([
    ['many signs together', 'a_b_c_d_e_f_g_h_i_j_k_l', 'a b c d e f g h i j k l'],
    [
      'addresses that run into each other',
      'a@b.example,c@d.example,e@f.example',
      'a b.example,c d.example,e f.example',
    ],
    ['many tags', '<p>'.repeat(20), ' p>'.repeat(20)],
    ['what stands within a text', 'so a_b_c_d_e_f_g_h_i_j_k_l is', 'so a b c d e f g h i j k l is'],
    ['what stands behind a blank of another script', '中　a_b_c_d_e_f_g_h_i_j_k_l', '中　a b c d e f g h i j k l'],
    ['what is longer than a word', 'x'.repeat(600), `${'x'.repeat(256)} ${'x'.repeat(256)} ${'x'.repeat(88)}`],
  ])('is parted: %s', (_, text, parted) => {
    expect(searchable(text)).toBe(parted)
  })

  it('is cut between characters, and not within one', () => {
    expect(searchable('🚲'.repeat(300))).toBe(`${'🚲'.repeat(256)} ${'🚲'.repeat(44)}`)
  })
})
