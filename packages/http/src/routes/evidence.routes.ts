import {
  AuditSigningKey,
  Checkpoint,
  listCheckpoints,
  listSigningKeys,
  PageQuery,
  StreamId,
  StreamVerification,
  VerificationQuery,
  verifyStream,
} from '@breakpilot/tenant-core'
import { z } from 'zod'
import { pageOf } from '../page.ts'
import { route } from '../route.ts'

const tag = 'audit'
const scope = 'audit:verify'

export const evidenceRoutes = [
  route({
    method: 'get',
    path: '/v1/audit/streams/{stream_id}/verification',
    operation: 'verifyAuditStream',
    tag,
    summary: 'Verify a stream of the audit log',
    description:
      'Computes the hash chain of a stream anew, row by row, and holds it against the signed checkpoints. Names the first row that was edited, removed, inserted or swapped, or a cut end. A long stream takes several calls.',
    scope,
    params: z.object({
      stream_id: StreamId.meta({
        description: 'The id of the stream: for the stream of a tenant, that of the tenant.',
        examples: ['00000000-0000-0000-0000-000000000001'],
      }),
    }),
    query: VerificationQuery,
    status: 200,
    response: StreamVerification,
    errors: ['audit_stream.not_found', 'page.cursor_invalid'],
    handle: ({ db, params, query }) => verifyStream(db, params.stream_id, query),
  }),
  route({
    method: 'get',
    path: '/v1/audit/checkpoints',
    operation: 'listAuditCheckpoints',
    tag,
    summary: 'List checkpoints of the audit log',
    description:
      'Answers the signed checkpoints, newest first, a page at a time. Keep them somewhere else: they show what the log had come to.',
    scope,
    query: PageQuery,
    status: 200,
    response: pageOf(Checkpoint, 'AuditCheckpointPage'),
    errors: ['page.cursor_invalid'],
    handle: ({ db, query }) => listCheckpoints(db, query),
  }),
  route({
    method: 'get',
    path: '/v1/audit/signing-keys',
    operation: 'listAuditSigningKeys',
    tag,
    summary: 'List the public keys of checkpoints',
    description:
      'Answers every public key that checkpoints are or were signed with, the newest first, all on one page.',
    scope,
    status: 200,
    response: pageOf(AuditSigningKey, 'AuditSigningKeyPage'),
    errors: [],
    handle: ({ db }) => listSigningKeys(db),
  }),
]
