import { z } from 'zod'
import { EventId, TenantId } from '../id.ts'
import { PageQuery } from '../page.ts'
import { openEnum, text } from '../text.ts'
import { Timestamp } from '../timestamp.ts'
import { networkOf } from './source-address.ts'

const describe = {
  tenant_id: 'The tenant whose log it is in; null when it is none, or one that is gone.',
  product: 'The product that recorded it; `tenant-registry` for the registry itself.',
  action: 'What was done.',
  crud: 'Whether something was created, read, updated or deleted.',
  actor: 'Who did it.',
  target: 'What it was done to.',
} as const

const textField = (description: string, example?: string) =>
  z
    .string()
    .nullable()
    .meta({ description, ...(example !== undefined && { examples: [example] }) })
/** As they are: `z.record` would lose the name `__proto__`, which is one like any other here. */
const ShownMap = z
  .unknown()
  .refine((value) => typeof value === 'object' && value !== null)
  .meta({ type: 'object', additionalProperties: { type: 'string' } }) as z.ZodType<Record<string, string>>
const map = (description: string, example?: Record<string, string>) =>
  ShownMap.nullable().meta({ description, ...(example && { examples: [example] }) })

const acme = '00000000-0000-0000-0000-000000000001'

const partyShape = {
  id: textField('Its id.', 'jane@breakpilot.com'),
  name: textField('Its name.', 'Jane'),
  href: textField('Where to read on.'),
  fields: map('What else is known of it.', { role: 'platform-operator' }),
}

/** When something happened. What was copied from the log before this one may say years that RFC 3339 cannot write. */
const EventTime = z.codec(Timestamp.in, Timestamp.out, {
  decode: (text, payload) => {
    const read = Timestamp.safeDecode(text)
    if (read.success) return read.data
    payload.issues.push({ code: 'invalid_format', format: 'datetime', origin: 'string', input: text })
    return z.NEVER
  },
  encode: (at) => at.toISOString(),
})

/** An event of the audit log, as it was recorded. */
export const RecordedEvent = z
  .object({
    id: EventId.meta({ description: 'The id of the event.', examples: ['0190f1c2-8a6b-7c3d-9e4f-5a6b7c8d9e0f'] }),
    tenant_id: TenantId.nullable().meta({ description: describe.tenant_id }),
    product: z.string().meta({ description: describe.product, examples: ['tenant-registry'] }),
    environment: openEnum(['live', 'test']).meta({ description: 'Whether it is about real things.' }),
    action: z.string().meta({ description: describe.action, examples: ['tenant.frozen'] }),
    crud: openEnum(['c', 'r', 'u', 'd']).meta({ description: describe.crud }),
    canonical_at: EventTime.meta({ description: 'When it happened: when it was said to have, else when it came in.' }),
    created_at: EventTime.nullable().meta({ description: 'When it was said to have happened.' }),
    received_at: Timestamp.meta({ description: 'When it came in.' }),
    group: z
      .object({ id: textField('Its id.', acme), name: textField('Its name.', 'Acme Inc.') })
      .meta({ description: 'For whom it was done, as the product says.' }),
    actor: z.object(partyShape).meta({ description: describe.actor }),
    target: z
      .object({
        id: textField('Its id.', acme),
        name: textField('Its name.', 'Acme Inc.'),
        href: partyShape.href,
        type: textField('What kind of thing it is.', 'tenant'),
        fields: map('What else is known of it.'),
      })
      .meta({ description: describe.target }),
    source_ip: textField('Where the request came from.', '192.0.2.1'),
    description: textField('What happened, for people.'),
    component: textField('The part of the product that recorded it.'),
    version: textField('The version of that part.'),
    external_id: textField('The id that the product gave it.'),
    is_anonymous: z.boolean().nullable().meta({ description: 'Whether nobody in particular did it.' }),
    is_failure: z.boolean().nullable().meta({ description: 'Whether it failed.' }),
    fields: map('What belongs to it: for our own events what changed, as `before.…` and `after.…`.', {
      'before.status': 'active',
      'after.status': 'frozen',
    }),
    metadata: map('What belongs to its making: the id of the request, and so on.', { request_id: 'req-12345678' }),
  })
  .meta({ id: 'AuditEvent', description: 'An event of the audit log.' })
export type RecordedEvent = z.output<typeof RecordedEvent>

/** Up to how many events are counted. */
export const totalMax = 10_000

/** The parameters of a list are texts: these are the letters of CRUD, and true or false. */
const crudsPattern = /^[crud](,[crud]){0,3}$/
const Cruds = z.codec(
  z.string().regex(crudsPattern, { error: 'must be c, r, u, d or several of them with commas between' }),
  z.array(z.enum(['c', 'r', 'u', 'd'])),
  {
    decode: (letters) => [...new Set(letters.split(','))].toSorted() as ('c' | 'r' | 'u' | 'd')[],
    encode: (kinds) => kinds.join(','),
  },
)

const flag = (description: string) =>
  z
    .codec(z.enum(['true', 'false']), z.boolean(), {
      decode: (word) => word === 'true',
      encode: (value) => (value ? 'true' : 'false'),
    })
    .optional()
    .meta({ description, examples: ['true'] })

const term = (description: string, example: string) =>
  text(1024)
    .min(1)
    .optional()
    .meta({ description, examples: [example] })

/** Which events a list shows: those that match all of it. */
export const RecordedEventQuery = PageQuery.extend({
  tenant_id: TenantId.optional().meta({ description: "Only events of this tenant's log." }),
  product: text(100)
    .min(1)
    .optional()
    .meta({ description: 'Only events that this product recorded.', examples: ['tenant-registry'] }),
  environment: z
    .enum(['live', 'test'])
    .optional()
    .meta({ description: 'Only what is about real things, or only what is not.', examples: ['live'] }),
  group_id: term('Only what was done for this one, as the product names it.', 'acme'),
  action: term('Only this action; with `*` at its end, all that begin like this.', 'tenant.*'),
  crud: Cruds.optional().meta({
    description: 'Only these kinds of action: one or several of `c`, `r`, `u` and `d`, with commas between.',
    examples: ['c,u'],
    type: 'string',
    pattern: crudsPattern.source,
  }),
  actor_id: term('Only what this one did.', 'jane@breakpilot.com'),
  target_id: term('Only what was done to this.', acme),
  target_type: term('Only what was done to things of this kind.', 'tenant'),
  external_id: term('Only the events to which the product gave this id.', 'order-17-opened'),
  is_failure: flag('Only what is said to have failed, or not to. Not said is neither.'),
  is_anonymous: flag('Only what nobody in particular is said to have done, or not. Not said is neither.'),
  source_ip: text(100)
    .refine((value) => networkOf(value) !== undefined, { error: 'must be an address, or a network as in 192.0.2.0/24' })
    .optional()
    .meta({
      description: 'Only what came from this address, however it is spelled, or from this network, in CIDR notation.',
      examples: ['192.0.2.0/24'],
    }),
  created_after: Timestamp.optional().meta({ description: 'Only what happened at this instant or later.' }),
  created_before: Timestamp.optional().meta({ description: 'Only what happened before this instant.' }),
  received_after: Timestamp.optional().meta({ description: 'Only what came in at this instant or later.' }),
  received_before: Timestamp.optional().meta({ description: 'Only what came in before this instant.' }),
  q: text(2000)
    .optional()
    .meta({
      description:
        'Only what this search finds: words, and operators such as `actor.id:jane`, `action:tenant.*`, `-crud:r`, `received:2026-01-01,`. docs/audit-search.md has them all.',
      examples: ['action:tenant.* "Acme Inc."'],
    }),
  total: flag(
    `With \`true\` the page also says how many events match, on all pages together: exactly up to ${totalMax}, and that they are more beyond that.`,
  ),
})
export type RecordedEventQuery = z.output<typeof RecordedEventQuery>
