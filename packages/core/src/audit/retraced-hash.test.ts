import { describe, expect, it } from 'vitest'
import { retracedHash, retracedHashTarget } from './retraced-hash.ts'

const id = (n: number) => String(n).padStart(32, '0')

describe('retracedHash', () => {
  it.each([
    [
      { id: id(1), action: 'a.b', is_anonymous: true },
      ':a.b:::::0:1::',
      'd033e1de7a30f805da291472565cc6fe80fad84798b62148f7cfc064bd9dc623',
    ],
    [
      { id: id(2), action: 'a.b', actor_id: 'u1', fields: [] },
      ':a.b::u1:::0:0:',
      '2afef61d2bad05b4b58632722cf78e434ac1d665c444138e3ee644e57fb54261',
    ],
    [
      {
        id: id(3),
        action: 'a.b',
        actor_id: 'u1',
        fields: [
          ['b', '2'],
          ['a', '1'],
          ['B', '3'],
        ] as const,
      },
      ':a.b::u1:::0:0:B=3;a=1;b=2;',
      'cc333732d8cce24b16407377644da779d11c6054c84108d0ef253a03e7beb70f',
    ],
    [
      { id: id(6), action: 'a.b', actor_id: 'u1', external_id: 'e1' },
      ':a.b::u1:::0:0:::e1',
      'd48d6c958944dadfe826c57f88a629db02ad796aa4e3aef1708980ee9d93976d',
    ],
    [
      { id: id(8), action: 'a.b', actor_id: 'u1', fields: [['é', 'ü']] as const },
      ':a.b::u1:::0:0:é=ü;',
      'd548013b5d44417726f42d7aecc978b4eed87ddd5e8f713a64e1e3ab23d46809',
    ],
  ])('equals what Retraced computed: %j', (event, target, hash) => {
    expect(retracedHashTarget(event)).toBe(event.id + target)
    expect(retracedHash(event).toString('hex')).toBe(hash)
  })

  it('escapes what separates, so that no two events share a text', () => {
    const target = retracedHashTarget({
      id: 'i',
      action: 'a:b%3Ac',
      fields: [['k=;', 'v:;%']],
      metadata: [],
      external_id: 'x:y',
    })
    expect(target).toBe('i:a%3Ab%253Ac:::::0:0:k%3D%3B=v%3A%3B%25;:x%3Ay:')
  })
})
