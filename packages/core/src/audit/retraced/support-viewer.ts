import { z } from 'zod'
import { TenantId } from '../../id.ts'
import { text } from '../../text.ts'
import { Timestamp } from '../../timestamp.ts'

/** The id of a viewer token of the platform's people: not a part of the token. */
export const SupportViewerId = z
  .guid({ error: 'must be a UUID' })
  .toLowerCase()
  .brand<'SupportViewerId'>()
  .meta({ examples: ['0190f1c2-8a6b-7c3d-9e4f-5a6b7c8d9e11'] })
export type SupportViewerId = z.output<typeof SupportViewerId>

/** Whose log somebody of the platform's wants to look into. */
export const NewSupportViewer = z
  .strictObject({
    tenant_id: TenantId.meta({ description: 'The tenant, also one that is gone.' }),
    product: text(100)
      .min(1)
      .optional()
      .meta({
        description:
          'Only what this product recorded; `tenant-registry` for the registry itself. All of them unless told.',
        examples: ['certifai'],
      }),
    environment: z
      .enum(['live', 'test'])
      .optional()
      .meta({ description: 'Only what is about real things, or only what is not. Both unless told.' }),
  })
  .meta({ id: 'NewAuditViewerToken', description: 'Whose log is to be looked into.' })
export type NewSupportViewer = z.output<typeof NewSupportViewer>

/** A token that opens the viewer on it. */
export const SupportViewerToken = z
  .object({
    id: SupportViewerId.meta({ description: 'The id that the log tells of, and that ends it.' }),
    token: z.string().meta({
      description: 'The viewer token: 32 hexadecimal digits.',
      examples: ['5f2b8c1d9e4a7f3051627384950a1b2c'],
    }),
    expires_at: Timestamp.meta({ description: 'Until when it, and every session made with it, lets look.' }),
    url: z.string().meta({
      description: 'Where to look, on the server that answers. The token is in the fragment, which no browser sends.',
      examples: ['/audit/viewer#token=5f2b8c1d9e4a7f3051627384950a1b2c'],
    }),
  })
  .meta({ id: 'AuditViewerToken', description: "A token that lets look into a tenant's log for a while." })
export type SupportViewerToken = z.output<typeof SupportViewerToken>
