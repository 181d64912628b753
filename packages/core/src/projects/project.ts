import { z } from 'zod'
import { ProjectId, TenantId } from '../id.ts'
import { PageQuery } from '../page.ts'
import { Slug } from '../tenants/slug.ts'
import type { TenantStatus } from '../tenants/status.ts'
import { name, openEnum, text } from '../text.ts'
import { Timestamp } from '../timestamp.ts'

/** What a project is in: the enum `tenant_project_status`. */
export const projectStatuses = ['active', 'archived'] as const
export type ProjectStatus = (typeof projectStatuses)[number]

/** What a project is in when its tenant is considered too. */
export const effectiveProjectStatuses = ['active', 'frozen', 'archived'] as const
export type EffectiveProjectStatus = (typeof effectiveProjectStatuses)[number]

/** The state of a project: its own, or that of its tenant where that is the more restricted one. */
export function effectiveProjectStatus(own: ProjectStatus, tenant: TenantStatus): EffectiveProjectStatus {
  if (own === 'archived' || tenant === 'archived') return 'archived'
  return tenant === 'frozen' ? 'frozen' : 'active'
}

const describe = {
  id: 'The id of the project. It never changes.',
  tenant_id: 'The id of the tenant whose project it is.',
  slug: 'The name of the project in paths: unique within its tenant. It never changes and is never given again.',
  name: 'The name of the project, for people.',
  labels: 'Whatever you want to sort projects by: up to 20 names with a text each.',
  status: 'Whether the project was archived.',
  effective_status: 'What can be done with the project now: what the state of its tenant leaves of its own.',
  version: 'Grows with every change. `If-Match` compares it.',
  created_at: 'When the project was created.',
  updated_at: 'When anything of the project last changed.',
  archived_at: 'When the project was archived; null while it is not.',
} as const

const examples = { labels: [{ stage: 'production' }], name: ['Website'], slug: ['website'] }

/** A project of a tenant. */
export const Project = z
  .object({
    id: ProjectId.meta({ description: describe.id }),
    tenant_id: TenantId.meta({ description: describe.tenant_id }),
    slug: z.string().brand<'Slug'>().meta({ description: describe.slug, examples: examples.slug }),
    name: z.string().meta({ description: describe.name, examples: examples.name }),
    labels: z.record(z.string(), z.string()).meta({ description: describe.labels, examples: examples.labels }),
    status: openEnum(projectStatuses).meta({ description: describe.status }),
    effective_status: openEnum(effectiveProjectStatuses).meta({ description: describe.effective_status }),
    version: z.int().meta({ description: describe.version, examples: [1] }),
    created_at: Timestamp.meta({ description: describe.created_at }),
    updated_at: Timestamp.meta({ description: describe.updated_at }),
    archived_at: Timestamp.nullable().meta({ description: describe.archived_at }),
  })
  .meta({ id: 'Project', description: 'A project of a tenant.' })
export type Project = z.output<typeof Project>

/** How many labels a project may have. */
export const labelsMax = 20
const labelName = text(63).min(1)
const labelText = text(200)
const tooManyLabels = { error: `must not have more than ${labelsMax} names` }
const atMostSoMany = (labels: object) => Object.keys(labels).length <= labelsMax

/** What it takes to create a project. */
export const NewProject = z
  .strictObject({
    slug: Slug.meta({ description: describe.slug, examples: examples.slug }),
    name: name(200).meta({ description: describe.name, examples: examples.name }),
    labels: z
      .record(labelName, labelText)
      .refine(atMostSoMany, tooManyLabels)
      .optional()
      .meta({ description: describe.labels, examples: examples.labels }),
  })
  .brand<'NewProject'>()
  .meta({ id: 'NewProject', description: 'What it takes to create a project.' })
export type NewProject = z.output<typeof NewProject>

/** What of a project can be changed by a patch. Its slug cannot, and its state has verbs of its own. */
export const ProjectChanges = z
  .strictObject({
    name: name(200).optional().meta({ description: describe.name, examples: examples.name }),
    labels: z
      .record(labelName, labelText.nullable())
      .refine(atMostSoMany, tooManyLabels)
      .nullish()
      .meta({
        description: `${describe.labels} A name with null goes, one that is absent stays; null clears all.`,
        examples: [{ stage: 'production', old: null }],
      }),
  })
  .brand<'ProjectChanges'>()
  .meta({
    id: 'ProjectChanges',
    description: 'A merge patch (RFC 7396) of a project: null clears, an absent field stays.',
  })
export type ProjectChanges = z.output<typeof ProjectChanges>

/** Which projects a list shows. */
export const ProjectQuery = PageQuery.extend({
  status: z
    .enum(projectStatuses)
    .optional()
    .meta({ description: 'Only projects that were archived, or only those that were not.', examples: ['active'] }),
})
export type ProjectQuery = z.output<typeof ProjectQuery>
