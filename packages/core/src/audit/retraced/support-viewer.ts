import { z } from 'zod'
import { SupportViewerId, TenantId } from '../../id.ts'
import { text } from '../../text.ts'
import { Timestamp } from '../../timestamp.ts'

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
