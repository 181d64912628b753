import { uuidv7 } from 'uuidv7'
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

/** The platform's own: nobody is a member of it, whatever a token says, and nothing else is ever given its id. */
export const platformTenant = '00000000-0000-0000-0000-0000000000ff'

/** Ids that mean something of their own wherever UUIDs are used, and could never be told from it. */
const reservedIds: ReadonlySet<string> = new Set([
  platformTenant,
  '00000000-0000-0000-0000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
])

/** The id of a new tenant, where somebody may choose one. */
export const ChosenTenantId = TenantId.refine((id) => !reservedIds.has(id), {
  error: "is reserved: it is the platform's own, or stands for no tenant at all",
})

/** A project's id: any UUID, as a tenant's. */
export const ProjectId = z
  .guid({ error: 'must be a UUID' })
  .toLowerCase()
  .brand<'ProjectId'>()
  .meta({ examples: ['0190f1c2-8a6b-7c3d-9e4f-5a6b7c8d9e0f'] })
export type ProjectId = z.output<typeof ProjectId>

/** An API key's id: not a part of the key, which has one of its own. */
export const ApiKeyId = z
  .guid({ error: 'must be a UUID' })
  .toLowerCase()
  .brand<'ApiKeyId'>()
  .meta({ examples: ['0190f1c2-8a6b-7c3d-9e4f-5a6b7c8d9e10'] })
export type ApiKeyId = z.output<typeof ApiKeyId>

/** An audit event's id. */
export const EventId = z.guid({ error: 'must be a UUID' }).toLowerCase().brand<'EventId'>()
export type EventId = z.output<typeof EventId>

/** The id of a stream of the audit log: a tenant's, or one made of product, environment and group. */
export const StreamId = z.guid({ error: 'must be a UUID' }).toLowerCase().brand<'StreamId'>()
export type StreamId = z.output<typeof StreamId>

/** The id of a viewer token of the platform's people: not a part of the token. */
export const SupportViewerId = z
  .guid({ error: 'must be a UUID' })
  .toLowerCase()
  .brand<'SupportViewerId'>()
  .meta({ examples: ['0190f1c2-8a6b-7c3d-9e4f-5a6b7c8d9e11'] })
export type SupportViewerId = z.output<typeof SupportViewerId>

/** A fresh tenant id: UUIDv7, so that ids sort as they were made, unless the clock is set back by more than ten seconds. */
export const newTenantId = (): TenantId => uuidv7() as TenantId

/** A fresh project id: UUIDv7 too. */
export const newProjectId = (): ProjectId => uuidv7() as ProjectId

/** A fresh key id: UUIDv7 too. */
export const newApiKeyId = (): ApiKeyId => uuidv7() as ApiKeyId

/** A fresh event id: UUIDv7, so that an id tells the partition it is in. */
export const newEventId = (): EventId => uuidv7() as EventId

/** A fresh id of a viewer token: UUIDv7 too. */
export const newSupportViewerId = (): SupportViewerId => uuidv7() as SupportViewerId
