import { expect, it } from 'vitest'
import { TenantId } from '../id.ts'
import { streamOf } from './stream.ts'

const tenant_id = TenantId.parse('00000000-0000-0000-0000-000000000001')

it("is the tenant's own id when there is a tenant, whatever else the event says", () => {
  expect(streamOf({ tenant_id, product: 'certifai', environment: 'test', group_id: 'x' })).toBe(tenant_id)
})

it('is a UUIDv5 of product, environment and group otherwise, as other implementations compute it', () => {
  const key = { tenant_id: null, product: 'certifai', environment: 'live' } as const
  // Python: uuid.uuid5(uuid.UUID('5ca3a973-f392-4339-9486-4214cea4d436'), 'certifai\nlive\ngrüppe')
  expect(streamOf({ ...key, group_id: 'grüppe' })).toBe('fe5cb050-a426-5543-bece-06b5b9fdd8db')
  expect(streamOf({ ...key, group_id: null })).toBe('b916d29f-1411-55e7-a5c9-99372583d9f1')
})

it('differs by product, environment and group, and between no group and a group without characters', () => {
  const keys = [
    { product: 'a', environment: 'live', group_id: 'g' },
    { product: 'b', environment: 'live', group_id: 'g' },
    { product: 'a', environment: 'test', group_id: 'g' },
    { product: 'a', environment: 'live', group_id: '' },
    { product: 'a', environment: 'live', group_id: null },
  ]
  expect(new Set(keys.map((key) => streamOf({ tenant_id: null, ...key }))).size).toBe(keys.length)
})
