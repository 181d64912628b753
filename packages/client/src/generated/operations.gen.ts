// Made by packages/client/scripts/generate.ts from packages/http/openapi.json, with @redocly/cli. Do not edit.

import type { ApiKey, ApiKeyChanges, ApiKeyPage, ApiKeyRevocation, ApiKeyRotation, AuditCheckpointPage, AuditEvent, AuditEventPage, AuditSigningKeyPage, AuditStreamEventPage, AuditStreamPage, AuditStreamVerification, AuditStreamVerificationRequest, AuditViewerToken, ChangePage, Entitlements, EvaluationBatch, EvaluationResults, FoundApiKeys, Health, IssuedApiKey, LeakedApiKey, LegalHold, Me, NewApiKey, NewAuditViewerToken, NewLegalHold, NewProject, NewTenant, NewTenantProduct, OwnApiKey, OwnApiKeyPage, OwnIssuedApiKey, Product, ProductPage, Project, ProjectChanges, ProjectPage, Publication, PurgeRequest, Readiness, RecordedAuditEvents, ReleasedSlug, RevokedApiKeys, SlugRelease, Tenant, TenantChanges, TenantExport, TenantPage, TenantProduct, TenantProductChanges, TenantProductPage, TenantProductPreview, TenantSummary, TenantSummaryExport, TenantSummaryPage, Transition, TransitionPreview, Verification, VerificationBatch, VerifiedKey, VerifiedKeys } from './schemas.gen.ts';

type VerifyApiKeyResult = VerifiedKey;

type VerifyApiKeyBody = Verification;

type VerifyApiKeysResult = VerifiedKeys;

type VerifyApiKeysBody = VerificationBatch;

type GetHealthResult = Health;

type GetReadinessResult = Readiness;

type GetEntitlementsResult = Entitlements;

type GetEntitlementsPath = {
    /**
     * The id of the tenant.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
};

export type GetEntitlementsQuery = {
    /**
     * Ask for this project of the tenant: in an archived one nothing can be used.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    project_id?: string;
    /**
     * Answer for this product alone, also when the tenant does not have it.
     * @minLength 1
     * @maxLength 100
     */
    product?: string;
    /**
     * Judge what is known today as of this moment, instead of now. It is not history.
     * @format date-time
     */
    at?: string;
};

type EvaluateEntitlementsResult = EvaluationResults;

type EvaluateEntitlementsBody = EvaluationBatch;

type ListTenantsResult = TenantPage | TenantSummaryPage;

export type ListTenantsQuery = {
    /**
     * How many to answer: 1 to 200, 50 unless told.
     * @minimum 1
     * @maximum 200
     */
    limit?: number;
    /**
     * The `next_cursor` of the page before, with the same filters.
     * @maxLength 4096
     */
    cursor?: string;
    /**
     * Only tenants that are in this state now: an ended trial is frozen.
     */
    status?: "demo" | "trial" | "active" | "frozen" | "archived";
    /**
     * Only tenants of this kind.
     */
    kind?: "customer" | "demo";
    /**
     * Only tenants with this plan.
     * @maxLength 100
     */
    plan?: string;
    /**
     * Only tenants that have this product.
     * @maxLength 63
     */
    product?: string;
    /**
     * Only tenants that this person looks after.
     * @minLength 1
     * @maxLength 200
     */
    sales_owner?: string;
    /**
     * Only trials that end at this instant or later: those that run, and those that ended and froze the tenant, until it goes on to another state. `status` tells them apart.
     * @format date-time
     */
    trial_ends_after?: string;
    /**
     * Only trials that end before this instant: those that run, and those that ended and froze the tenant, until it goes on to another state. `status` tells them apart.
     * @format date-time
     */
    trial_ends_before?: string;
    /**
     * Only tenants created at this instant or later.
     * @format date-time
     */
    created_after?: string;
    /**
     * Only tenants created before this instant.
     * @format date-time
     */
    created_before?: string;
    /**
     * Only tenants whose slug begins with this, or whose name has all of these words, the last one by its beginning.
     * @minLength 1
     * @maxLength 200
     */
    q?: string;
    /**
     * What to sort by, with `-` for descending: `-created_at` unless told. Names without regard to case.
     */
    sort?: "created_at" | "-created_at" | "name" | "-name" | "slug" | "-slug";
};

type CreateTenantResult = Tenant;

type CreateTenantBody = NewTenant;

type GetTenantResult = Tenant | TenantSummary;

type GetTenantPath = {
    /**
     * The id of the tenant.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
};

type UpdateTenantResult = Tenant | TenantSummary;

type UpdateTenantPath = {
    /**
     * The id of the tenant.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
};

type UpdateTenantBody = TenantChanges;

type GetTenantBySlugResult = Tenant | TenantSummary;

type GetTenantBySlugPath = {
    /**
     * The slug of the tenant.
     * @minLength 3
     * @maxLength 63
     * @pattern ^(?!.*--)(?=.*[a-z])(?![0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$
     */
    slug: string;
};

type GetTenantByErpIdResult = Tenant;

type GetTenantByErpIdPath = {
    /**
     * The id in the ERP system.
     * @maxLength 200
     * @pattern ^\S(?:.*\S)?$
     */
    erp_id: string;
};

type GetTenantByStripeIdResult = Tenant;

type GetTenantByStripeIdPath = {
    /**
     * The customer id at Stripe.
     * @maxLength 200
     * @pattern ^\S(?:.*\S)?$
     */
    stripe_id: string;
};

type TransitionTenantResult = Tenant | TransitionPreview;

type TransitionTenantPath = {
    /**
     * The id of the tenant.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
};

export type TransitionTenantQuery = {
    /**
     * With `true` nothing is changed: the answer says what would follow.
     */
    dry_run?: "true" | "false";
};

type TransitionTenantBody = Transition;

type PurgeTenantResult = Tenant;

type PurgeTenantPath = {
    /**
     * The id of the tenant.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
};

type PurgeTenantBody = PurgeRequest;

type GetLegalHoldResult = LegalHold;

type GetLegalHoldPath = {
    /**
     * The id of the tenant.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
};

type PlaceLegalHoldResult = LegalHold;

type PlaceLegalHoldPath = {
    /**
     * The id of the tenant.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
};

type PlaceLegalHoldBody = NewLegalHold;

type LiftLegalHoldResult = void;

type LiftLegalHoldPath = {
    /**
     * The id of the tenant.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
};

type ReleaseSlugResult = ReleasedSlug;

type ReleaseSlugPath = {
    /**
     * The name.
     * @minLength 3
     * @maxLength 63
     * @pattern ^(?!.*--)(?=.*[a-z])(?![0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$
     */
    slug: string;
};

type ReleaseSlugBody = SlugRelease;

type ExportTenantResult = TenantExport | TenantSummaryExport;

type ExportTenantPath = {
    /**
     * The id of the tenant.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
};

type ImportTenantsResult = string;

export type ImportTenantsQuery = {
    /**
     * With `true` nothing is changed: the answer says what would follow.
     */
    dry_run?: "true" | "false";
};

type ImportTenantsBody = string;

type ListProjectsResult = ProjectPage;

type ListProjectsPath = {
    /**
     * The id of the tenant.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
};

export type ListProjectsQuery = {
    /**
     * How many to answer: 1 to 200, 50 unless told.
     * @minimum 1
     * @maximum 200
     */
    limit?: number;
    /**
     * The `next_cursor` of the page before, with the same filters.
     * @maxLength 4096
     */
    cursor?: string;
    /**
     * Only projects that were archived, or only those that were not.
     */
    status?: "active" | "archived";
};

type CreateProjectResult = Project;

type CreateProjectPath = {
    /**
     * The id of the tenant.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
};

type CreateProjectBody = NewProject;

type GetProjectResult = Project;

type GetProjectPath = {
    /**
     * The id of the tenant.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
    /**
     * The id of the project.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    project_id: string;
};

type UpdateProjectResult = Project;

type UpdateProjectPath = {
    /**
     * The id of the tenant.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
    /**
     * The id of the project.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    project_id: string;
};

type UpdateProjectBody = ProjectChanges;

type ArchiveProjectResult = Project;

type ArchiveProjectPath = {
    /**
     * The id of the tenant.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
    /**
     * The id of the project.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    project_id: string;
};

type RestoreProjectResult = Project;

type RestoreProjectPath = {
    /**
     * The id of the tenant.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
    /**
     * The id of the project.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    project_id: string;
};

type ListProductsResult = ProductPage;

type GetProductResult = Product;

type GetProductPath = {
    /**
     * The key of the product.
     * @minLength 1
     * @maxLength 100
     */
    product: string;
};

type ListTenantProductsResult = TenantProductPage;

type ListTenantProductsPath = {
    /**
     * The id of the tenant.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
};

type GetTenantProductResult = TenantProduct;

type GetTenantProductPath = {
    /**
     * The id of the tenant.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
    /**
     * The key of the product.
     * @minLength 1
     * @maxLength 100
     */
    product: string;
};

type PutTenantProductResult = TenantProduct | TenantProductPreview;

type PutTenantProductPath = {
    /**
     * The id of the tenant.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
    /**
     * The key of the product.
     * @minLength 1
     * @maxLength 100
     */
    product: string;
};

export type PutTenantProductQuery = {
    /**
     * With `true` nothing is changed: the answer says what would follow.
     */
    dry_run?: "true" | "false";
};

type PutTenantProductBody = NewTenantProduct;

type RemoveTenantProductResult = TenantProductPreview;

type RemoveTenantProductPath = {
    /**
     * The id of the tenant.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
    /**
     * The key of the product.
     * @minLength 1
     * @maxLength 100
     */
    product: string;
};

export type RemoveTenantProductQuery = {
    /**
     * With `true` nothing is changed: the answer says what would follow.
     */
    dry_run?: "true" | "false";
};

type UpdateTenantProductResult = TenantProduct | TenantProductPreview;

type UpdateTenantProductPath = {
    /**
     * The id of the tenant.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
    /**
     * The key of the product.
     * @minLength 1
     * @maxLength 100
     */
    product: string;
};

export type UpdateTenantProductQuery = {
    /**
     * With `true` nothing is changed: the answer says what would follow.
     */
    dry_run?: "true" | "false";
};

type UpdateTenantProductBody = TenantProductChanges;

type ListApiKeysResult = ApiKeyPage | OwnApiKeyPage;

type ListApiKeysPath = {
    /**
     * The id of the tenant.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
};

export type ListApiKeysQuery = {
    /**
     * How many to answer: 1 to 200, 50 unless told.
     * @minimum 1
     * @maximum 200
     */
    limit?: number;
    /**
     * The `next_cursor` of the page before, with the same filters.
     * @maxLength 4096
     */
    cursor?: string;
    /**
     * Only keys with this status.
     */
    status?: "active" | "disabled" | "expired" | "revoked";
    /**
     * Only keys that are bound to this project.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    project_id?: string;
    /**
     * Only keys of this environment.
     */
    environment?: "live" | "test";
    /**
     * Only keys that open this product, or `tenant-registry`.
     * @maxLength 63
     * @pattern ^[a-z][a-z0-9-]*$
     */
    audience?: string;
    /**
     * Only keys that were made from each other by rotation.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    family_id?: string;
};

type IssueApiKeyResult = IssuedApiKey | OwnIssuedApiKey;

type IssueApiKeyPath = {
    /**
     * The id of the tenant.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
};

type IssueApiKeyBody = NewApiKey;

type RevokeAllApiKeysResult = RevokedApiKeys | RevokedApiKeys;

type RevokeAllApiKeysPath = {
    /**
     * The id of the tenant.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
};

export type RevokeAllApiKeysQuery = {
    /**
     * With `true` nothing is changed: the answer says what would follow.
     */
    dry_run?: "true" | "false";
};

type RevokeAllApiKeysBody = ApiKeyRevocation;

type GetApiKeyResult = ApiKey | OwnApiKey;

type GetApiKeyPath = {
    /**
     * The id of the tenant.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
    /**
     * The id of the key.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    api_key_id: string;
};

type UpdateApiKeyResult = ApiKey | OwnApiKey;

type UpdateApiKeyPath = {
    /**
     * The id of the tenant.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
    /**
     * The id of the key.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    api_key_id: string;
};

type UpdateApiKeyBody = ApiKeyChanges;

type RotateApiKeyResult = IssuedApiKey | OwnIssuedApiKey;

type RotateApiKeyPath = {
    /**
     * The id of the tenant.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
    /**
     * The id of the key.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    api_key_id: string;
};

type RotateApiKeyBody = ApiKeyRotation;

type RevokeApiKeyResult = ApiKey | OwnApiKey;

type RevokeApiKeyPath = {
    /**
     * The id of the tenant.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
    /**
     * The id of the key.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    api_key_id: string;
};

type RevokeApiKeyBody = ApiKeyRevocation;

type FindApiKeysResult = FoundApiKeys;

export type FindApiKeysQuery = {
    /**
     * The public part of the key. Never the whole key: addresses are logged.
     * @pattern ^bpk_(?:live|test)_[0-9A-Za-z]{12}$
     */
    prefix: string;
};

type RevokeLeakedApiKeyResult = void;

type RevokeLeakedApiKeyBody = LeakedApiKey;

type ListChangesResult = ChangePage;

export type ListChangesQuery = {
    /**
     * The `next_after` of the answer before. Without it the feed begins with the oldest change that is kept.
     * @minimum 0
     * @maximum 9007199254740991
     */
    after?: number;
    /**
     * How many to answer: 1 to 1000, 100 unless told.
     * @minimum 1
     * @maximum 1000
     */
    limit?: number;
    /**
     * How many seconds to wait when there is nothing yet: 0 to 25, 0 unless told.
     * @minimum 0
     * @maximum 25
     */
    wait?: number;
};

type ListAuditEventsResult = AuditEventPage;

export type ListAuditEventsQuery = {
    /**
     * How many to answer: 1 to 200, 50 unless told.
     * @minimum 1
     * @maximum 200
     */
    limit?: number;
    /**
     * The `next_cursor` of the page before, with the same filters.
     * @maxLength 4096
     */
    cursor?: string;
    /**
     * Only events of this tenant's log.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id?: string;
    /**
     * Only events that this product recorded.
     * @minLength 1
     * @maxLength 100
     */
    product?: string;
    /**
     * Only what is about real things, or only what is not.
     */
    environment?: "live" | "test";
    /**
     * Only what was done for this one, as the product names it.
     * @minLength 1
     * @maxLength 1024
     */
    group_id?: string;
    /**
     * Only this action; with `*` at its end, all that begin like this.
     * @minLength 1
     * @maxLength 1024
     */
    action?: string;
    /**
     * Only these kinds of action: one or several of `c`, `r`, `u` and `d`, with commas between.
     * @pattern ^[crud](,[crud]){0,3}$
     */
    crud?: string;
    /**
     * Only what this one did.
     * @minLength 1
     * @maxLength 1024
     */
    actor_id?: string;
    /**
     * Only what was done to this.
     * @minLength 1
     * @maxLength 1024
     */
    target_id?: string;
    /**
     * Only what was done to things of this kind.
     * @minLength 1
     * @maxLength 1024
     */
    target_type?: string;
    /**
     * Only the events to which the product gave this id.
     * @minLength 1
     * @maxLength 1024
     */
    external_id?: string;
    /**
     * Only what is said to have failed, or not to. Not said is neither.
     */
    is_failure?: "true" | "false";
    /**
     * Only what nobody in particular is said to have done, or not. Not said is neither.
     */
    is_anonymous?: "true" | "false";
    /**
     * Only what came from this address, however it is spelled, or from this network, in CIDR notation.
     * @maxLength 100
     */
    source_ip?: string;
    /**
     * Only what happened at this instant or later.
     * @format date-time
     */
    created_after?: string;
    /**
     * Only what happened before this instant.
     * @format date-time
     */
    created_before?: string;
    /**
     * Only what came in at this instant or later.
     * @format date-time
     */
    received_after?: string;
    /**
     * Only what came in before this instant.
     * @format date-time
     */
    received_before?: string;
    /**
     * Only what this search finds: words, and operators such as `actor.id:jane`, `action:tenant.*`, `-crud:r`, `received:2026-01-01,`. docs/audit-search.md has them all.
     * @maxLength 2000
     */
    q?: string;
    /**
     * With `true` the page also says how many events match, on all pages together: exactly up to 10000, and that they are more beyond that.
     */
    total?: "true" | "false";
};

type PublishAuditEventsResult = RecordedAuditEvents;

type PublishAuditEventsBody = Publication;

type GetAuditEventResult = AuditEvent;

type GetAuditEventPath = {
    /**
     * The id of the event.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    event_id: string;
};

type VerifyAuditStreamResult = AuditStreamVerification;

type VerifyAuditStreamBody = AuditStreamVerificationRequest;

type ListAuditCheckpointsResult = AuditCheckpointPage;

export type ListAuditCheckpointsQuery = {
    /**
     * How many to answer: 1 to 200, 50 unless told.
     * @minimum 1
     * @maximum 200
     */
    limit?: number;
    /**
     * The `next_cursor` of the page before, with the same filters.
     * @maxLength 4096
     */
    cursor?: string;
};

type ListAuditSigningKeysResult = AuditSigningKeyPage;

type ExportAuditEventsResult = string;

export type ExportAuditEventsQuery = {
    /**
     * The `cursor` of the last event that you have, with the same filters and the same order.
     * @maxLength 4096
     */
    cursor?: string;
    /**
     * Only events of this tenant's log.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id?: string;
    /**
     * Only events that this product recorded.
     * @minLength 1
     * @maxLength 100
     */
    product?: string;
    /**
     * Only what is about real things, or only what is not.
     */
    environment?: "live" | "test";
    /**
     * Only what was done for this one, as the product names it.
     * @minLength 1
     * @maxLength 1024
     */
    group_id?: string;
    /**
     * Only this action; with `*` at its end, all that begin like this.
     * @minLength 1
     * @maxLength 1024
     */
    action?: string;
    /**
     * Only these kinds of action: one or several of `c`, `r`, `u` and `d`, with commas between.
     * @pattern ^[crud](,[crud]){0,3}$
     */
    crud?: string;
    /**
     * Only what this one did.
     * @minLength 1
     * @maxLength 1024
     */
    actor_id?: string;
    /**
     * Only what was done to this.
     * @minLength 1
     * @maxLength 1024
     */
    target_id?: string;
    /**
     * Only what was done to things of this kind.
     * @minLength 1
     * @maxLength 1024
     */
    target_type?: string;
    /**
     * Only the events to which the product gave this id.
     * @minLength 1
     * @maxLength 1024
     */
    external_id?: string;
    /**
     * Only what is said to have failed, or not to. Not said is neither.
     */
    is_failure?: "true" | "false";
    /**
     * Only what nobody in particular is said to have done, or not. Not said is neither.
     */
    is_anonymous?: "true" | "false";
    /**
     * Only what came from this address, however it is spelled, or from this network, in CIDR notation.
     * @maxLength 100
     */
    source_ip?: string;
    /**
     * Only what happened at this instant or later.
     * @format date-time
     */
    created_after?: string;
    /**
     * Only what happened before this instant.
     * @format date-time
     */
    created_before?: string;
    /**
     * Only what came in at this instant or later.
     * @format date-time
     */
    received_after?: string;
    /**
     * Only what came in before this instant.
     * @format date-time
     */
    received_before?: string;
    /**
     * Only what this search finds: words, and operators such as `actor.id:jane`, `action:tenant.*`, `-crud:r`, `received:2026-01-01,`. docs/audit-search.md has them all.
     * @maxLength 2000
     */
    q?: string;
    /**
     * With `true` the page also says how many events match, on all pages together: exactly up to 10000, and that they are more beyond that.
     */
    total?: "true" | "false";
    /**
     * `ndjson` has every event as it was recorded; `csv` is for spreadsheets.
     */
    format: "csv" | "ndjson";
    /**
     * By when it happened; newest first unless told.
     */
    order?: "newest_first" | "oldest_first";
};

type ListAuditStreamsResult = AuditStreamPage;

export type ListAuditStreamsQuery = {
    /**
     * How many to answer: 1 to 1000, 100 unless told.
     * @minimum 1
     * @maximum 1000
     */
    limit?: number;
    /**
     * The `next_cursor` of the answer before; without it, from the stream that changed the longest time ago.
     * @maxLength 200
     */
    cursor?: string;
};

type ListAuditStreamEventsResult = AuditStreamEventPage;

type ListAuditStreamEventsPath = {
    /**
     * The id of the stream: a tenant's own id, or one from the list of streams.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    stream_id: string;
};

export type ListAuditStreamEventsQuery = {
    /**
     * How many to answer: 1 to 1000, 100 unless told.
     * @minimum 1
     * @maximum 1000
     */
    limit?: number;
    /**
     * Only events after this place of the stream: the `next_after` of the answer before. 0 unless told.
     * @minimum 0
     * @maximum 9007199254740991
     */
    after?: number;
};

type IssueAuditViewerTokenResult = AuditViewerToken;

type IssueAuditViewerTokenBody = NewAuditViewerToken;

type EndAuditViewerTokenResult = void;

type EndAuditViewerTokenPath = {
    /**
     * The id of the viewer token.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    viewer_token_id: string;
};

type GetMeResult = Me;

/**
 * Per-operation `args`/`result` shapes (plus `kind: 'sse'` for event streams) — the
 * type-level companion of `OPERATIONS` that gives `createClient<Ops>` its typed methods.
 */
export type Ops = {
    verifyApiKey: {
        args: {
            body: VerifyApiKeyBody;
        };
        result: VerifyApiKeyResult;
    };
    verifyApiKeys: {
        args: {
            body: VerifyApiKeysBody;
        };
        result: VerifyApiKeysResult;
    };
    getHealth: {
        args: {};
        result: GetHealthResult;
    };
    getReadiness: {
        args: {};
        result: GetReadinessResult;
    };
    getEntitlements: {
        args: {
            path: GetEntitlementsPath;
            query?: GetEntitlementsQuery;
        };
        result: GetEntitlementsResult;
    };
    evaluateEntitlements: {
        args: {
            body: EvaluateEntitlementsBody;
        };
        result: EvaluateEntitlementsResult;
    };
    listTenants: {
        args: {
            query?: ListTenantsQuery;
        };
        result: ListTenantsResult;
    };
    createTenant: {
        args: {
            body: CreateTenantBody;
        };
        result: CreateTenantResult;
    };
    getTenant: {
        args: {
            path: GetTenantPath;
        };
        result: GetTenantResult;
    };
    updateTenant: {
        args: {
            path: UpdateTenantPath;
            body: UpdateTenantBody;
        };
        result: UpdateTenantResult;
    };
    getTenantBySlug: {
        args: {
            path: GetTenantBySlugPath;
        };
        result: GetTenantBySlugResult;
    };
    getTenantByErpId: {
        args: {
            path: GetTenantByErpIdPath;
        };
        result: GetTenantByErpIdResult;
    };
    getTenantByStripeId: {
        args: {
            path: GetTenantByStripeIdPath;
        };
        result: GetTenantByStripeIdResult;
    };
    transitionTenant: {
        args: {
            path: TransitionTenantPath;
            query?: TransitionTenantQuery;
            body: TransitionTenantBody;
        };
        result: TransitionTenantResult;
    };
    purgeTenant: {
        args: {
            path: PurgeTenantPath;
            body: PurgeTenantBody;
        };
        result: PurgeTenantResult;
    };
    getLegalHold: {
        args: {
            path: GetLegalHoldPath;
        };
        result: GetLegalHoldResult;
    };
    placeLegalHold: {
        args: {
            path: PlaceLegalHoldPath;
            body: PlaceLegalHoldBody;
        };
        result: PlaceLegalHoldResult;
    };
    liftLegalHold: {
        args: {
            path: LiftLegalHoldPath;
        };
        result: LiftLegalHoldResult;
    };
    releaseSlug: {
        args: {
            path: ReleaseSlugPath;
            body: ReleaseSlugBody;
        };
        result: ReleaseSlugResult;
    };
    exportTenant: {
        args: {
            path: ExportTenantPath;
        };
        result: ExportTenantResult;
    };
    importTenants: {
        args: {
            query?: ImportTenantsQuery;
            body: ImportTenantsBody;
        };
        result: ImportTenantsResult;
    };
    listProjects: {
        args: {
            path: ListProjectsPath;
            query?: ListProjectsQuery;
        };
        result: ListProjectsResult;
    };
    createProject: {
        args: {
            path: CreateProjectPath;
            body: CreateProjectBody;
        };
        result: CreateProjectResult;
    };
    getProject: {
        args: {
            path: GetProjectPath;
        };
        result: GetProjectResult;
    };
    updateProject: {
        args: {
            path: UpdateProjectPath;
            body: UpdateProjectBody;
        };
        result: UpdateProjectResult;
    };
    archiveProject: {
        args: {
            path: ArchiveProjectPath;
        };
        result: ArchiveProjectResult;
    };
    restoreProject: {
        args: {
            path: RestoreProjectPath;
        };
        result: RestoreProjectResult;
    };
    listProducts: {
        args: {};
        result: ListProductsResult;
    };
    getProduct: {
        args: {
            path: GetProductPath;
        };
        result: GetProductResult;
    };
    listTenantProducts: {
        args: {
            path: ListTenantProductsPath;
        };
        result: ListTenantProductsResult;
    };
    getTenantProduct: {
        args: {
            path: GetTenantProductPath;
        };
        result: GetTenantProductResult;
    };
    putTenantProduct: {
        args: {
            path: PutTenantProductPath;
            query?: PutTenantProductQuery;
            body: PutTenantProductBody;
        };
        result: PutTenantProductResult;
    };
    removeTenantProduct: {
        args: {
            path: RemoveTenantProductPath;
            query?: RemoveTenantProductQuery;
        };
        result: RemoveTenantProductResult;
    };
    updateTenantProduct: {
        args: {
            path: UpdateTenantProductPath;
            query?: UpdateTenantProductQuery;
            body: UpdateTenantProductBody;
        };
        result: UpdateTenantProductResult;
    };
    listApiKeys: {
        args: {
            path: ListApiKeysPath;
            query?: ListApiKeysQuery;
        };
        result: ListApiKeysResult;
    };
    issueApiKey: {
        args: {
            path: IssueApiKeyPath;
            body: IssueApiKeyBody;
        };
        result: IssueApiKeyResult;
    };
    revokeAllApiKeys: {
        args: {
            path: RevokeAllApiKeysPath;
            query?: RevokeAllApiKeysQuery;
            body: RevokeAllApiKeysBody;
        };
        result: RevokeAllApiKeysResult;
    };
    getApiKey: {
        args: {
            path: GetApiKeyPath;
        };
        result: GetApiKeyResult;
    };
    updateApiKey: {
        args: {
            path: UpdateApiKeyPath;
            body: UpdateApiKeyBody;
        };
        result: UpdateApiKeyResult;
    };
    rotateApiKey: {
        args: {
            path: RotateApiKeyPath;
            body: RotateApiKeyBody;
        };
        result: RotateApiKeyResult;
    };
    revokeApiKey: {
        args: {
            path: RevokeApiKeyPath;
            body: RevokeApiKeyBody;
        };
        result: RevokeApiKeyResult;
    };
    findApiKeys: {
        args: {
            query: FindApiKeysQuery;
        };
        result: FindApiKeysResult;
    };
    revokeLeakedApiKey: {
        args: {
            body: RevokeLeakedApiKeyBody;
        };
        result: RevokeLeakedApiKeyResult;
    };
    listChanges: {
        args: {
            query?: ListChangesQuery;
        };
        result: ListChangesResult;
    };
    listAuditEvents: {
        args: {
            query?: ListAuditEventsQuery;
        };
        result: ListAuditEventsResult;
    };
    publishAuditEvents: {
        args: {
            body: PublishAuditEventsBody;
        };
        result: PublishAuditEventsResult;
    };
    getAuditEvent: {
        args: {
            path: GetAuditEventPath;
        };
        result: GetAuditEventResult;
    };
    verifyAuditStream: {
        args: {
            body: VerifyAuditStreamBody;
        };
        result: VerifyAuditStreamResult;
    };
    listAuditCheckpoints: {
        args: {
            query?: ListAuditCheckpointsQuery;
        };
        result: ListAuditCheckpointsResult;
    };
    listAuditSigningKeys: {
        args: {};
        result: ListAuditSigningKeysResult;
    };
    exportAuditEvents: {
        args: {
            query: ExportAuditEventsQuery;
        };
        result: ExportAuditEventsResult;
    };
    listAuditStreams: {
        args: {
            query?: ListAuditStreamsQuery;
        };
        result: ListAuditStreamsResult;
    };
    listAuditStreamEvents: {
        args: {
            path: ListAuditStreamEventsPath;
            query?: ListAuditStreamEventsQuery;
        };
        result: ListAuditStreamEventsResult;
    };
    issueAuditViewerToken: {
        args: {
            body: IssueAuditViewerTokenBody;
        };
        result: IssueAuditViewerTokenResult;
    };
    endAuditViewerToken: {
        args: {
            path: EndAuditViewerTokenPath;
        };
        result: EndAuditViewerTokenResult;
    };
    getMe: {
        args: {};
        result: GetMeResult;
    };
};

/** How an operation is reached. */
export interface Operation {
  readonly method: string
  readonly path: string
  /** It needs no credential, and must not be sent one. */
  readonly public?: true
  /** It changes nothing, although it is a POST: one that has no Idempotency-Key only answers. */
  readonly reads?: true
  /** It is carried out once for each Idempotency-Key. */
  readonly idempotent?: true
  /** What it takes and gives are JSON documents, one in each line. */
  readonly lines?: true
}

/** How each operation is reached. */
export const operations = {
  verifyApiKey: { method: 'POST', path: '/v1/api-keys/verify', reads: true },
  verifyApiKeys: { method: 'POST', path: '/v1/api-keys/verify-batch', reads: true },
  getHealth: { method: 'GET', path: '/healthz', public: true },
  getReadiness: { method: 'GET', path: '/readyz', public: true },
  getEntitlements: { method: 'GET', path: '/v1/tenants/{tenant_id}/entitlements' },
  evaluateEntitlements: { method: 'POST', path: '/v1/entitlements/evaluate', reads: true },
  createTenant: { method: 'POST', path: '/v1/tenants', idempotent: true },
  listTenants: { method: 'GET', path: '/v1/tenants' },
  getTenant: { method: 'GET', path: '/v1/tenants/{tenant_id}' },
  updateTenant: { method: 'PATCH', path: '/v1/tenants/{tenant_id}' },
  getTenantBySlug: { method: 'GET', path: '/v1/tenants/by-slug/{slug}' },
  getTenantByErpId: { method: 'GET', path: '/v1/tenants/by-erp-id/{erp_id}' },
  getTenantByStripeId: { method: 'GET', path: '/v1/tenants/by-stripe-id/{stripe_id}' },
  transitionTenant: { method: 'POST', path: '/v1/tenants/{tenant_id}/transitions', idempotent: true },
  purgeTenant: { method: 'POST', path: '/v1/tenants/{tenant_id}/purge', idempotent: true },
  getLegalHold: { method: 'GET', path: '/v1/tenants/{tenant_id}/legal-hold' },
  placeLegalHold: { method: 'PUT', path: '/v1/tenants/{tenant_id}/legal-hold' },
  liftLegalHold: { method: 'DELETE', path: '/v1/tenants/{tenant_id}/legal-hold' },
  releaseSlug: { method: 'POST', path: '/v1/slugs/{slug}/release', idempotent: true },
  exportTenant: { method: 'GET', path: '/v1/tenants/{tenant_id}/export' },
  importTenants: { method: 'POST', path: '/v1/tenants/import', idempotent: true, lines: true },
  createProject: { method: 'POST', path: '/v1/tenants/{tenant_id}/projects', idempotent: true },
  listProjects: { method: 'GET', path: '/v1/tenants/{tenant_id}/projects' },
  getProject: { method: 'GET', path: '/v1/tenants/{tenant_id}/projects/{project_id}' },
  updateProject: { method: 'PATCH', path: '/v1/tenants/{tenant_id}/projects/{project_id}' },
  archiveProject: { method: 'POST', path: '/v1/tenants/{tenant_id}/projects/{project_id}/archive', idempotent: true },
  restoreProject: { method: 'POST', path: '/v1/tenants/{tenant_id}/projects/{project_id}/restore', idempotent: true },
  listProducts: { method: 'GET', path: '/v1/products' },
  getProduct: { method: 'GET', path: '/v1/products/{product}' },
  listTenantProducts: { method: 'GET', path: '/v1/tenants/{tenant_id}/products' },
  getTenantProduct: { method: 'GET', path: '/v1/tenants/{tenant_id}/products/{product}' },
  putTenantProduct: { method: 'PUT', path: '/v1/tenants/{tenant_id}/products/{product}' },
  updateTenantProduct: { method: 'PATCH', path: '/v1/tenants/{tenant_id}/products/{product}' },
  removeTenantProduct: { method: 'DELETE', path: '/v1/tenants/{tenant_id}/products/{product}' },
  issueApiKey: { method: 'POST', path: '/v1/tenants/{tenant_id}/api-keys', idempotent: true },
  listApiKeys: { method: 'GET', path: '/v1/tenants/{tenant_id}/api-keys' },
  revokeAllApiKeys: { method: 'POST', path: '/v1/tenants/{tenant_id}/api-keys/revoke-all', idempotent: true },
  getApiKey: { method: 'GET', path: '/v1/tenants/{tenant_id}/api-keys/{api_key_id}' },
  updateApiKey: { method: 'PATCH', path: '/v1/tenants/{tenant_id}/api-keys/{api_key_id}' },
  rotateApiKey: { method: 'POST', path: '/v1/tenants/{tenant_id}/api-keys/{api_key_id}/rotate', idempotent: true },
  revokeApiKey: { method: 'POST', path: '/v1/tenants/{tenant_id}/api-keys/{api_key_id}/revoke', idempotent: true },
  findApiKeys: { method: 'GET', path: '/v1/api-keys' },
  revokeLeakedApiKey: { method: 'POST', path: '/v1/api-keys/revoke', public: true, reads: true },
  listChanges: { method: 'GET', path: '/v1/changes' },
  publishAuditEvents: { method: 'POST', path: '/v1/audit/events', idempotent: true },
  listAuditEvents: { method: 'GET', path: '/v1/audit/events' },
  getAuditEvent: { method: 'GET', path: '/v1/audit/events/{event_id}' },
  verifyAuditStream: { method: 'POST', path: '/v1/audit/verify', reads: true },
  listAuditCheckpoints: { method: 'GET', path: '/v1/audit/checkpoints' },
  listAuditSigningKeys: { method: 'GET', path: '/v1/audit/signing-keys' },
  exportAuditEvents: { method: 'GET', path: '/v1/audit/export' },
  listAuditStreams: { method: 'GET', path: '/v1/audit/streams' },
  listAuditStreamEvents: { method: 'GET', path: '/v1/audit/streams/{stream_id}/events' },
  issueAuditViewerToken: { method: 'POST', path: '/v1/audit/viewer-tokens', idempotent: true },
  endAuditViewerToken: { method: 'DELETE', path: '/v1/audit/viewer-tokens/{viewer_token_id}' },
  getMe: { method: 'GET', path: '/v1/me' },
} as const satisfies Record<keyof Ops, Operation>
