import { describe, expect, it } from 'vitest'
import { json, startPeer } from '../test/scripted-peer.ts'
import { aTenant, rejectionOf } from '../test/tenant.ts'
import { InvalidError, TenantClient } from './index.ts'
import { pathOf, urlPrefix } from './url.ts'

const hostile = [
  '../x',
  '../../healthz',
  'a/b',
  '/',
  '//evil.example',
  '\\..\\x',
  '?q',
  '#f',
  '%2e',
  '%2e%2e',
  '%2f',
  '%',
  '...',
  '. ',
  ' ..',
  '..;',
  'a\r\nX-Evil: 1',
  '\u0000',
  '@evil.example',
  ':80',
  '{slug}',
  '$&',
  'müller 漢字 🚀',
]

describe('a path', () => {
  it.each(hostile)('keeps %j within its segment', async (slug) => {
    await using peer = await startPeer(json(aTenant()))
    await new TenantClient({ baseUrl: peer.url }).tenants.getBySlug(slug)
    const [, v1, tenants, bySlug, sent = '', ...more] = peer.arrivals[0]?.path.split('/') ?? []
    expect([v1, tenants, bySlug, ...more]).toEqual(['v1', 'tenants', 'by-slug'])
    expect(sent).toMatch(/^[^?#]+$/)
    expect(decodeURIComponent(sent)).toBe(slug)
  })

  it('keeps any mixture of dangerous characters within its segment', () => {
    const characters = './\\?#%2eEfF;:@&=+ \t\n{}$\u0000ü'
    for (let round = 0; round < 5000; round += 1) {
      const value = Array.from({ length: 1 + (round % 6) }, () => {
        return characters[Math.floor(Math.random() * characters.length)]
      }).join('')
      if (value === '.' || value === '..') continue
      const url = new URL(`http://registry.test/prefix${pathOf('op', '/a/{id}/z', { id: value })}`)
      const [, prefix, a, id = '', z, ...more] = url.pathname.split('/')
      expect([prefix, a, z, more, url.search, url.hash, decodeURIComponent(id)], JSON.stringify(value)).toEqual([
        'prefix',
        'a',
        'z',
        [],
        '',
        '',
        value,
      ])
    }
  })

  it.each(['', '.', '..', '\ud800'])('cannot be made with %j: nothing is sent', async (slug) => {
    await using peer = await startPeer(json(aTenant()))
    const error = await rejectionOf(new TenantClient({ baseUrl: peer.url }).tenants.getBySlug(slug))
    expect(error).toBeInstanceOf(InvalidError)
    expect(error).toMatchObject({ status: 400, code: 'request.invalid', attempts: 0 })
    expect(peer.arrivals).toEqual([])
  })

  it.each([undefined, null, 7, {}, ['a']])('cannot be made with %j, which is no string', async (slug) => {
    await using peer = await startPeer(json(aTenant()))
    // As a caller without types would.
    const error = await rejectionOf(new TenantClient({ baseUrl: peer.url }).tenants.getBySlug(slug as string))
    expect(error).toBeInstanceOf(TypeError)
    expect(peer.arrivals).toEqual([])
  })
})

describe('a query', () => {
  it('has what was given and leaves out what was not', () => {
    const query = { status: 'active', limit: 5, plan: 'a&b=c d', kind: undefined, dry_run: false, n: 0 }
    const { searchParams } = new URL(`http://registry.test${pathOf('op', '/a', {}, query)}`)
    expect([...searchParams]).toEqual([
      ['status', 'active'],
      ['limit', '5'],
      ['plan', 'a&b=c d'],
      ['dry_run', 'false'],
      ['n', '0'],
    ])
    expect(pathOf('op', '/a', {}, { kind: undefined })).toBe('/a')
  })
})

describe('baseUrl', () => {
  it.each([
    ['https://registry.test', 'https://registry.test'],
    ['https://registry.test/', 'https://registry.test'],
    ['http://registry.test:8090/behind/a/proxy//', 'http://registry.test:8090/behind/a/proxy'],
  ])('%s is the prefix %s', (baseUrl, prefix) => {
    expect(urlPrefix(baseUrl)).toBe(prefix)
    expect(urlPrefix(new URL(baseUrl))).toBe(prefix)
  })

  it.each([
    'registry.test',
    '/v1',
    '',
    'ftp://registry.test',
    'https://registry.test?a=b',
    'https://registry.test#a',
    'https://user:secret@registry.test',
  ])('is refused when it is %j', (baseUrl) => {
    expect(() => new TenantClient({ baseUrl })).toThrow(TypeError)
  })
})
