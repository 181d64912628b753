import { v7 } from 'uuid'
import { z } from 'zod'

/**
 * A tenant's id. Any UUID will do, whatever its version bits say: the seed's own tenant has none, which is why this is
 * `guid` and not `uuid`.
 */
export const TenantId = z
  .guid({ error: 'must be a UUID' })
  .toLowerCase()
  .brand<'TenantId'>()
  .meta({ examples: ['00000000-0000-0000-0000-000000000001'] })
export type TenantId = z.output<typeof TenantId>

/** An audit event's id. */
export const EventId = z.guid({ error: 'must be a UUID' }).toLowerCase().brand<'EventId'>()
export type EventId = z.output<typeof EventId>

/** The id of a stream of the audit log: a tenant's, or one made of product, environment and group. */
export const StreamId = z.guid({ error: 'must be a UUID' }).toLowerCase().brand<'StreamId'>()
export type StreamId = z.output<typeof StreamId>

/** A fresh tenant id: UUIDv7, so that ids sort as they were made. */
export const newTenantId = (): TenantId => v7() as TenantId

/** A fresh event id: UUIDv7, so that an id tells the partition it is in. */
export const newEventId = (): EventId => v7() as EventId
