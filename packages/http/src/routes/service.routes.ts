import { RegistryError } from '@breakpilot/tenant-core'
import { z } from 'zod'
import { route } from '../route.ts'

const tag = 'service'

const Health = z
  .object({ status: z.literal('ok').meta({ description: 'Always `ok`: a process that is not says nothing.' }) })
  .meta({ id: 'Health', description: 'That the process is alive.' })

const ReadinessNote = z
  .object({
    code: z.string().meta({
      description: 'What it is, for programs.',
      'x-extensible-enum': ['audit_partitions_low', 'keyring_kid_lost', 'listener_lost', 'product_retired'],
    }),
    message: z.string().meta({ description: 'What it is, for people.' }),
  })
  .meta({ id: 'ReadinessNote', description: 'Something that is worth a look, although the service does its work.' })

const Readiness = z
  .object({
    status: z.literal('ready').meta({ description: 'Always `ready`: otherwise the answer is a 503.' }),
    notes: z.array(ReadinessNote).meta({ description: 'What is worth a look all the same.', examples: [[]] }),
    audit_partitions_ahead: z
      .int()
      .optional()
      .meta({
        description: 'How many months the audit log is prepared for, this one not counted.',
        examples: [12],
      }),
  })
  .meta({ id: 'Readiness', description: 'That the service can do its work.' })

export const serviceRoutes = [
  route({
    method: 'get',
    path: '/healthz',
    operation: 'getHealth',
    tag,
    summary: 'Is the process alive?',
    description:
      'Answers as long as the process does. It does not look at the database: that is what `/readyz` is for.',
    scope: 'public',
    status: 200,
    response: Health,
    errors: [],
    handle: async () => ({ status: 'ok' as const }),
  }),
  route({
    method: 'get',
    path: '/readyz',
    operation: 'getReadiness',
    tag,
    summary: 'Can the service do its work?',
    description: 'Answers 200 when the database is there, its schema is new enough, and the process is not stopping.',
    scope: 'public',
    status: 200,
    response: Readiness,
    errors: ['service.not_ready'],
    handle: async ({ readiness }) => {
      const { impediments, notes, auditPartitionsAhead: ahead } = await readiness()
      if (impediments.length === 0) {
        return {
          status: 'ready' as const,
          notes: [...notes],
          ...(ahead !== undefined && { audit_partitions_ahead: ahead }),
        }
      }
      throw new RegistryError('service.not_ready', {
        detail: impediments.map(({ part, message }) => `${part}: ${message}`).join('; '),
        violations: impediments.map(({ part, message }) => ({ pointer: `/${part}`, code: 'not_ready', message })),
        retryAfterSeconds: 1,
      })
    },
  }),
]
