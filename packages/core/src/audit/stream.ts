import { v5 } from 'uuid'
import { StreamId, type TenantId } from '../id.ts'

/** Ours alone, chosen once; changing it would split every stream that has no tenant. */
const namespace = '5ca3a973-f392-4339-9486-4214cea4d436'

/** What decides the stream that an event belongs to. */
export interface StreamKey {
  readonly tenant_id: TenantId | null
  readonly product: string
  readonly environment: string
  readonly group_id: string | null
}

/**
 * The stream of an event: its tenant's, or the one of (product, environment, group) when it has no tenant.
 * Neither a product's key nor an environment holds a line feed, so the name that is hashed has one meaning.
 */
export function streamOf({ tenant_id, product, environment, group_id }: StreamKey): StreamId {
  // Both are written alike.
  if (tenant_id !== null) return tenant_id as string as StreamId
  const name = [product, environment, ...(group_id === null ? [] : [group_id])].join('\n')
  const known = kept.get(name)
  if (known !== undefined) return known
  const id = StreamId.parse(v5(name, namespace))
  if (kept.size >= keptMax) kept.clear()
  kept.set(name, id)
  return id
}

/** The same few thousand streams are asked for again and again, several times for each event. */
const kept = new Map<string, StreamId>()
const keptMax = 10_000
