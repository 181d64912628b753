import {
  AuditSigningKey,
  Checkpoint,
  listCheckpoints,
  listSigningKeys,
  PageQuery,
  StreamVerification,
  VerificationRequest,
  verifyStream,
} from '@breakpilot/tenant-core'
import { pageOf } from '../page.ts'
import { route } from '../route.ts'

const tag = 'audit'
const scope = 'audit:verify'

export const evidenceRoutes = [
  route({
    method: 'post',
    path: '/v1/audit/verify',
    operation: 'verifyAuditStream',
    tag,
    summary: 'Verify a stream of the audit log',
    description:
      'Computes the hash chain of a stream anew, row by row, and holds it against the signed checkpoints. Names the first row that was edited, removed, inserted or swapped, or a cut end. A long stream takes several calls. Changes nothing.',
    scope,
    body: VerificationRequest,
    status: 200,
    response: StreamVerification,
    errors: ['audit_stream.not_found', 'page.cursor_invalid'],
    handle: ({ db, body }) => verifyStream(db, body.stream_id, body),
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
