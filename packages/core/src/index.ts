export {
  ApiKey,
  ApiKeyChanges,
  ApiKeyQuery,
  ApiKeyRevocation,
  ApiKeyRotation,
  ApiKeySearch,
  IssuedApiKey,
  keyStatuses,
  LeakedApiKey,
  NewApiKey,
  OwnApiKey,
  OwnIssuedApiKey,
  RevokedApiKeys,
} from './api-keys/api-key.ts'
export {
  environmentOf,
  findApiKeys,
  getApiKey,
  issueApiKey,
  listApiKeys,
  previewRevokeAll,
  revokeAllApiKeys,
  revokeApiKey,
  rotateApiKey,
  updateApiKey,
} from './api-keys/api-key.service.ts'
export type { KeyAuthority } from './api-keys/grant.ts'
export { KeyIssuer, type MintedKey } from './api-keys/issuer.ts'
export type { Asker, Question } from './api-keys/key-state.ts'
export { KeyPolicy } from './api-keys/key-policy.ts'
export type { LaneBounds } from './api-keys/lane.ts'
export { revokeLeakedApiKey } from './api-keys/leaked-key.service.ts'
export { type HashCost, hashCostMin, isAtLeast } from './api-keys/password-hash.ts'
export { RevocationProbe } from './api-keys/revocation-probe.ts'
export {
  coveredBy,
  covers,
  enterpriseTokenScope,
  platformScopes,
  registryAudience,
  registryScopes,
  satisfies,
} from './api-keys/scope.ts'
export {
  type KeyEnvironment,
  keyEnvironments,
  mintToken,
  type Token,
  TokenReader,
  withoutKeys,
} from './api-keys/token.ts'
export {
  Verification,
  VerificationBatch,
  type VerificationCode,
  verificationCodes,
  VerifiedKey,
  VerifiedKeys,
} from './api-keys/verification.ts'
export {
  ApiKeyVerifier,
  type Asking,
  type Identified,
  type KeyIdentity,
  type KeyRefusal,
  type VerifierCounts,
  type VerifierOptions,
} from './api-keys/verifier.ts'
export { type Actor, scriptActor } from './audit/actor.ts'
export { type Change, type Crud, type EventParty, type NewAuditEvent, ownProduct } from './audit/audit-event.ts'
export { type AppendedEvent, appendEvents } from './audit/audit.repository.ts'
export { audited, changed, type Outcome, unchanged } from './audit/audited.ts'
export { RecordedEvent, RecordedEventQuery } from './audit/recorded-event.ts'
export { getEvent, getEventJson, listEvents, listEventsJson } from './audit/recorded-event.service.ts'
export { EventExportQuery, ExportedEvent } from './audit/event-export.ts'
export { type EventExport, exportEvents } from './audit/event-export.service.ts'
export { LogStreamPage, LogStreamQuery, StreamEventPage, StreamEventQuery } from './audit/log-stream.ts'
export { listLogStreams, readLogStream, readLogStreamJson } from './audit/log-stream.service.ts'
export { countPartitionsAhead, recordDrops, retentionTerms, saveRetention } from './audit/retention.service.ts'
export { csvColumns } from './audit/event-text.ts'
export { oneTransaction, rehearse } from './audit/one-transaction.ts'
export { bareId, idOfBare } from './audit/retraced/bare-id.ts'
export type { Place } from './audit/retraced/cursor.ts'
export {
  type EnterpriseToken,
  findEnterpriseToken,
  issueEnterpriseToken,
  listEnterpriseTokens,
  renameEnterpriseToken,
  revealEnterpriseTokens,
  revokeEnterpriseToken,
  type ShownToken,
  type TokenKeeping,
} from './audit/retraced/enterprise-token.service.ts'
export type { AuditRow } from './audit/retraced/event-page.repository.ts'
export { instantOf } from './audit/retraced/instant.ts'
export { type SavedExport, SavedSearch } from './audit/retraced/saved-export.ts'
export { exportedEvents, getExport, listExports, saveExport } from './audit/retraced/saved-export.service.ts'
export { NewSupportViewer, SupportViewerToken } from './audit/retraced/support-viewer.ts'
export {
  endSupportViewer,
  getSupportExport,
  issueSupportViewerToken,
  listSupportExports,
  recordSupportExport,
  recordSupportView,
  saveSupportExport,
  type SupportViewer,
} from './audit/retraced/support-viewer.service.ts'
export {
  type AnyViewer,
  cleanViewers,
  endViewers,
  findViewer,
  findViewerByToken,
  isSupportViewer,
  issueViewerToken,
  type NewViewer,
  type Viewer,
} from './audit/retraced/viewer.service.ts'
export {
  type AuditGroup,
  type AuditScope,
  type GroupScope,
  isStreamScope,
  type LogScope,
  resolveGroup,
  type StreamScope,
} from './audit/retraced/scope.ts'
export {
  type AuditConnection,
  type AuditEdge,
  type AuditPage,
  type PaginatedArguments,
  type SearchArguments,
  searchAuditEvents,
  searchAuditEventsPaginated,
} from './audit/retraced/search.service.ts'
export {
  type ChainedRow,
  chainHash,
  chainVersion,
  genesisHash,
  type PersonalBlock,
  personalDigest,
} from './audit/chain.ts'
export { decodeEventMap, encodeEventMap, EventMap, keepsItsPlace, noteSentOrder } from './audit/event-map.ts'
export { cleanAuditClaims, Ingest, ingestBounds } from './audit/ingest.ts'
export { Publication, publishBounds, PublishedEvent, type Recorded } from './audit/published-event.ts'
export type { HashedFlags, Receipt, Submission } from './audit/submission.ts'
export { checkpointRecords } from './audit/checkpoint-lines.ts'
export {
  listCheckpoints,
  listSigningKeys,
  type PublishCheckpoint,
  takeCheckpoints,
} from './audit/checkpoint.service.ts'
export { AuditSigningKey, type ChainHead, Checkpoint } from './audit/checkpoint.ts'
export type { CheckpointLines } from './audit/checkpoint-file.ts'
export { type LogVerification, type LogVerificationOptions, verifyLog } from './audit/log-verification.ts'
export {
  newSigningKeyText,
  parseSigningKey,
  parseVerificationKeys,
  SigningKey,
  SigningKeyError,
  VerificationKey,
} from './audit/signing-key.ts'
export { Finding, type FindingCode, findingCodes } from './audit/verification-finding.ts'
export { StreamVerification, VerificationRequest, verifyStream } from './audit/verification.service.ts'
export type { StreamStart } from './audit/verification.ts'
export { type Redacted, RedactionRequest } from './audit/redaction.ts'
export { redactEvents } from './audit/redaction.service.ts'
export { type Expired, type ExpiryOptions, redactExpired } from './audit/expiry.service.ts'
export { type HashedEvent, retracedHash } from './audit/retraced-hash.ts'
export { type StreamKey, streamOf } from './audit/stream.ts'
export { ensureAuditPartitions } from './audit/audit-partitions.ts'
export { cleanChanges, followChanges, listChanges } from './changes/change.service.ts'
export { ChangeListener, type ChangeListenerOptions } from './changes/listener.ts'
export { ChangePage, ChangeQuery, RegistryChange } from './changes/registry-change.ts'
export { createDb, type DatabaseOptions, plainQueries } from './db/database.ts'
export type { AuditedTx, Db, HousekeepingTx, Reader } from './db/handles.ts'
export { housekeeping } from './db/housekeeping.ts'
export { keepsPreparedStatements } from './db/prepared-probe.ts'
export { runtimeRoleProblems } from './db/runtime-role.ts'
export { evaluateMany, getEntitlements } from './entitlements/entitlement.service.ts'
export {
  accessLevels,
  Entitlement,
  EntitlementQuery,
  entitlementReasons,
  Entitlements,
} from './entitlements/entitlement.ts'
export {
  type EntitledAssignment,
  type EntitledProject,
  type EntitledTenant,
  evaluate,
  type Evaluation,
} from './entitlements/evaluate.ts'
export { EvaluationBatch, EvaluationItem, EvaluationResult, EvaluationResults } from './entitlements/evaluation.ts'
export {
  type ErrorCode,
  type ErrorDetails,
  type ErrorKind,
  errorTable,
  invalidAt,
  RegistryError,
  type Violation,
} from './errors.ts'
export {
  ApiKeyId,
  EventId,
  newApiKeyId,
  newEventId,
  newProjectId,
  newTenantId,
  platformTenant,
  ProjectId,
  StreamId,
  SupportViewerId,
  TenantId,
} from './id.ts'
export { type Page, pageLimit, PageQuery, type Position } from './page.ts'
export { type Catalogue, createCatalogue, loadCatalogue } from './products/catalogue.ts'
export { Manifest, ManifestError, parseManifest, ProductKey } from './products/manifest.ts'
export { type Json, type JsonObject, mergePatch } from './merge-patch.ts'
export { getProduct, listProducts, Product } from './products/product.ts'
export { listProductsWithoutManifest } from './products/retired-products.ts'
export { NewTenantProduct, ProductParam, TenantProduct, TenantProductChanges } from './products/tenant-product.ts'
export type { Expectation } from './products/tenant-product-state.ts'
export { previewTenantProduct, TenantProductPreview } from './products/tenant-product-preview.ts'
export {
  assignProduct,
  getTenantProduct,
  listTenantProducts,
  putTenantProduct,
  removeTenantProduct,
  updateTenantProduct,
} from './products/tenant-product.service.ts'
export { NewProject, Project, ProjectChanges, ProjectQuery } from './projects/project.ts'
export {
  archiveProject,
  createProject,
  getProject,
  listProjects,
  restoreProject,
  updateProject,
} from './projects/project.service.ts'
export { cleanIdempotency, once, type OnceAnswer, type OnceRequest } from './idempotency/idempotency.service.ts'
export { keyringProblems, type KidProblem, type KidStatus, kidStatuses } from './secrets/kid.service.ts'
export { Keyring, KeyringError, newKeyringText, parseKeyring, type Purpose } from './secrets/keyring.ts'
export { createRegistry, type Registry, type RegistryOptions } from './registry.ts'
export { everything, type Sight } from './sight.ts'
export { TenantExport, TenantSummaryExport } from './tenants/export.ts'
export { exportTenant } from './tenants/export.service.ts'
export { ReleasedSlug, SlugRelease } from './tenants/held-slug.ts'
export { releaseSlug } from './tenants/held-slug.service.ts'
export { LegalHold, NewLegalHold } from './tenants/legal-hold.ts'
export { getLegalHold, liftLegalHold, placeLegalHold } from './tenants/legal-hold.service.ts'
export { PurgeRequest, purgeTenants, requestPurge } from './tenants/purge.service.ts'
export { isReserved, Slug, slugLength } from './tenants/slug.ts'
export { tenantKinds, type TenantStatus, tenantStatuses } from './tenants/status.ts'
export {
  ErpId,
  ImportedTenant,
  NewTenant,
  StripeId,
  Tenant,
  TenantChanges,
  TenantQuery,
  TenantSummary,
} from './tenants/tenant.ts'
export {
  createTenant,
  getTenant,
  getTenantByErpId,
  getTenantBySlug,
  getTenantByStripeId,
  listTenants,
  sweepEndedTrials,
  updateTenant,
} from './tenants/tenant.service.ts'
export { importBounds, type ImportLine, ImportResult, importTenants } from './tenants/tenant-import.ts'
export { previewTransition } from './tenants/preview.service.ts'
export { Transition, TransitionPreview } from './tenants/transition.ts'
export { transitionTenant } from './tenants/transition.service.ts'
export { safeParse } from './parse.ts'
export { openEnum } from './text.ts'
export { Timestamp } from './timestamp.ts'
