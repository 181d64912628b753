import { z } from 'zod'
import { TenantId } from '../id.ts'
import { openEnum } from '../text.ts'
import { EntitlementQuery, Entitlements } from './entitlement.ts'

/** How many questions one batch may hold. */
const evaluationsMax = 100

/** One question of a batch. */
export const EvaluationItem = z
  .strictObject({
    tenant_id: TenantId.meta({ description: 'The id of the tenant that is asked about.' }),
    ...EntitlementQuery.shape,
  })
  .meta({ id: 'EvaluationItem', description: 'One question: what a tenant may use.' })
export type EvaluationItem = z.output<typeof EvaluationItem>

/** Many questions at once. */
export const EvaluationBatch = z
  .strictObject({
    items: z
      .array(EvaluationItem)
      .min(1)
      .max(evaluationsMax)
      .meta({ description: `The questions: 1 to ${evaluationsMax}.` }),
  })
  .meta({ id: 'EvaluationBatch', description: 'Many questions at once.' })
export type EvaluationBatch = z.output<typeof EvaluationBatch>

/** Why a question of a batch has no answer: the codes that a question asked by itself fails with. */
export const evaluationErrors = ['tenant.not_found', 'project.not_found', 'product.unknown'] as const

/** The answer to one question of a batch, or why there is none. */
export const EvaluationResult = z
  .object({
    tenant_id: TenantId.meta({ description: 'The id of the tenant that was asked about.' }),
    entitlements: Entitlements.nullable().meta({
      description: 'What it may use; null when there is an error instead.',
    }),
    error: openEnum(evaluationErrors)
      .nullable()
      .meta({
        description:
          'The code that this question would fail with if it were asked by itself; null when it has an answer.',
        examples: [null],
      }),
  })
  .meta({ id: 'EvaluationResult', description: 'The answer to one question of a batch, or why there is none.' })
export type EvaluationResult = z.output<typeof EvaluationResult>

/** The answers to a batch. */
export const EvaluationResults = z
  .object({
    data: z.array(EvaluationResult).meta({ description: 'One answer for each question, in their order.' }),
  })
  .meta({ id: 'EvaluationResults', description: 'The answers to a batch.' })
export type EvaluationResults = z.output<typeof EvaluationResults>
