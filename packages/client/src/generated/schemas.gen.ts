// Made by packages/client/scripts/generate.ts from packages/http/openapi.json, with @redocly/cli. Do not edit.

/**
 * An error, as RFC 9457 has it.
 */
export type Problem = {
    /**
     * A URI for the kind of problem: its code as a URN.
     * @format uri
     */
    type: string;
    /**
     * The kind of problem, for people. The same for every such problem.
     */
    title: string;
    /**
     * The HTTP status.
     * @minimum -9007199254740991
     * @maximum 9007199254740991
     */
    status: number;
    /**
     * What is the matter this time, for people.
     */
    detail?: string;
    /**
     * The path that was asked for.
     */
    instance: string;
    /**
     * The kind of problem, for programs. It never changes its meaning.
     */
    code: string;
    /**
     * The id under which the log has this request.
     */
    request_id: string;
    /**
     * The version that the thing has now.
     * @minimum -9007199254740991
     * @maximum 9007199254740991
     */
    current_version?: number;
    /**
     * The states that the tenant can go to.
     */
    allowed?: string[];
    /**
     * The products that the tenant has.
     */
    products?: string[];
    /**
     * The id of what an earlier request with this key made.
     */
    id?: string;
    /**
     * Everything that is wrong with the request.
     */
    errors?: Violation[];
};

/**
 * One thing that is wrong with a request.
 */
export type Violation = {
    /**
     * Where: a JSON pointer into the body, or `/query/…`, `/path/…`.
     */
    pointer: string;
    /**
     * What is wrong, in one word.
     */
    code: string;
    /**
     * What is wrong, for people.
     */
    message: string;
};

/**
 * What is said of a key that somebody brought.
 */
export type VerifiedKey = {
    /**
     * Whether the key may be used for that: `code` is `VALID`.
     */
    valid: boolean;
    /**
     * Why it may, or may not. A new code means no.
     */
    code: ("VALID" | "NOT_FOUND" | "REVOKED" | "EXPIRED" | "DISABLED" | "TENANT_INACTIVE" | "PRODUCT_NOT_ASSIGNED" | "PROJECT_INACTIVE" | "PROJECT_MISMATCH" | "ENVIRONMENT_MISMATCH" | "IP_NOT_ALLOWED" | "INSUFFICIENT_SCOPE" | "RETRY") | LaterValue;
    /**
     * The id of the key.
     */
    api_key_id: string | null;
    /**
     * Whose key it is.
     */
    tenant_id: string | null;
    /**
     * The project that the key is bound to, if it is.
     */
    project_id: string | null;
    /**
     * The environment of the key.
     */
    environment: (("live" | "test") | LaterValue) | null;
    /**
     * What the key may be used for.
     */
    scopes: string[];
    /**
     * When the key ends.
     * @format date-time
     */
    expires_at: string | null;
    /**
     * What the tenant is in, when that is why.
     */
    tenant_status: string | null;
    /**
     * For how many seconds from this answer it may be relied on: at most 5. Using it does not prolong it.
     * @minimum -9007199254740991
     * @maximum 9007199254740991
     */
    max_age: number;
};

/**
 * A key that somebody brings, and what it is brought for.
 */
export type Verification = {
    /**
     * The whole key, as it was brought.
     */
    key: string;
    /**
     * What it takes: all scopes of a list, or `all` of one and `any` of another.
     */
    scopes?: string[] | {
        /**
         * @maxItems 100
         */
        all?: string[];
        /**
         * @maxItems 100
         */
        any?: string[];
    };
    /**
     * The project that the key is used in.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    project_id?: string;
    /**
     * The environment that the key is used in.
     */
    environment?: "live" | "test";
    /**
     * The address of who brought it. Without one, a key that is bound to networks is not valid.
     * @maxLength 64
     */
    client_ip?: string;
};

/**
 * What is said of each key, in the order of the questions.
 */
export type VerifiedKeys = {
    /**
     * An answer for each question, in their order.
     */
    data: VerifiedKey[];
};

/**
 * Up to a hundred keys, each with what it is brought for.
 */
export type VerificationBatch = {
    /**
     * The keys. Each is answered by itself, in this order.
     * @minItems 1
     * @maxItems 100
     */
    items: Verification[];
};

/**
 * That the process is alive.
 */
export type Health = {
    /**
     * Always `ok`: a process that is not says nothing.
     */
    status: "ok";
};

/**
 * That the service can do its work.
 */
export type Readiness = {
    /**
     * Always `ready`: otherwise the answer is a 503.
     */
    status: "ready";
    /**
     * What is worth a look all the same.
     */
    notes: ReadinessNote[];
    /**
     * How many months the audit log is prepared for, this one not counted.
     * @minimum -9007199254740991
     * @maximum 9007199254740991
     */
    audit_partitions_ahead?: number;
};

/**
 * Something that is worth a look, although the service does its work.
 */
export type ReadinessNote = {
    /**
     * What it is, for programs.
     */
    code: ("audit_partitions_low" | "keyring_kid_lost" | "listener_lost" | "product_retired") | LaterValue;
    /**
     * What it is, for people.
     */
    message: string;
};

/**
 * What a tenant may use.
 */
export type Entitlements = {
    /**
     * The id of the tenant.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
    /**
     * The project that was asked about; null when it was the tenant as a whole.
     */
    project_id: string | null;
    /**
     * The state that the tenant is in at that moment: a trial whose time is over is `frozen`.
     */
    status: ("demo" | "trial" | "active" | "frozen" | "archived") | LaterValue;
    /**
     * The days that are left of the trial, the one that has begun counted whole; null when there is no end.
     */
    trial_days_left: number | null;
    /**
     * The next moment at which this can change by time alone: it need not be asked for again before, unless something was changed. Null when that is never.
     */
    valid_until: string | null;
    /**
     * One entry for each product that the tenant has, in alphabetical order.
     */
    data: Entitlement[];
};

/**
 * What a tenant may do with one product.
 */
export type Entitlement = {
    /**
     * The key of the product.
     */
    product: string;
    /**
     * How much of the product may be used. Treat a value that you do not know as `none`.
     */
    access: ("full" | "read_only" | "none") | LaterValue;
    /**
     * Why: `granted`, or what is in the way. The widest obstacle, when there are several alike.
     */
    reason: ("granted" | "not_assigned" | "disabled" | "not_yet_valid" | "expired" | "trial_ended" | "contract_ended" | "tenant_frozen" | "tenant_archived" | "project_archived" | "product_retired") | LaterValue;
    /**
     * The configuration: the product's defaults, then the plan's, then the tenant's own. Empty without access.
     */
    config: Record<string, unknown>;
    /**
     * The limits by name. Empty without access.
     */
    limits: Record<string, EntitlementLimit>;
    /**
     * The features that are on. Empty without access.
     */
    features: string[];
    /**
     * The next moment at which this can change by time alone: it need not be asked for again before, unless something was changed. Null when that is never.
     */
    valid_until: string | null;
    /**
     * The version of the assignment of the product to the tenant; 0 when there is none.
     * @minimum -9007199254740991
     * @maximum 9007199254740991
     */
    version: number;
};

/**
 * How much of something a tenant may have, and who says so.
 */
export type EntitlementLimit = {
    /**
     * How much.
     * @minimum -9007199254740991
     * @maximum 9007199254740991
     */
    value: number;
    /**
     * Who says so: the product for everybody, the plan, or the agreement with this tenant.
     */
    source: ("default" | "plan" | "tenant") | LaterValue;
};

/**
 * The answers to a batch.
 */
export type EvaluationResults = {
    /**
     * One answer for each question, in their order.
     */
    data: EvaluationResult[];
};

/**
 * The answer to one question of a batch, or why there is none.
 */
export type EvaluationResult = {
    /**
     * The id of the tenant that was asked about.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
    /**
     * What it may use; null when there is an error instead.
     */
    entitlements: Entitlements | null;
    /**
     * The code that this question would fail with if it were asked by itself; null when it has an answer.
     */
    error: (("tenant.not_found" | "project.not_found" | "product.unknown") | LaterValue) | null;
};

/**
 * Many questions at once.
 */
export type EvaluationBatch = {
    /**
     * The questions: 1 to 100.
     * @minItems 1
     * @maxItems 100
     */
    items: EvaluationItem[];
};

/**
 * One question: what a tenant may use.
 */
export type EvaluationItem = {
    /**
     * The id of the tenant that is asked about.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
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

/**
 * A customer organization of the platform.
 */
export type Tenant = {
    /**
     * The id of the tenant. It never changes.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    id: string;
    /**
     * The name of the tenant in host names and paths.
     */
    slug: string;
    /**
     * The name of the tenant, for people.
     */
    name: string;
    /**
     * Where the tenant is in its life, as it was last written down.
     */
    status: ("demo" | "trial" | "active" | "frozen" | "archived") | LaterValue;
    /**
     * Where the tenant is in its life now: an ended trial is `frozen` from that instant on.
     */
    effective_status: ("demo" | "trial" | "active" | "frozen" | "archived") | LaterValue;
    /**
     * Whether this is a customer or a demonstration.
     */
    kind: ("customer" | "demo") | LaterValue;
    /**
     * The plan that was bought, one that a product manifest knows.
     */
    plan: string | null;
    /**
     * The id of the customer in the ERP system. No two tenants share one.
     */
    erp_id: string | null;
    /**
     * The id of the customer at Stripe. No two tenants share one.
     */
    stripe_id: string | null;
    /**
     * When the trial is over. It is over at that very instant.
     */
    trial_ends_at: string | null;
    /**
     * When the contract begins.
     */
    contract_starts_at: string | null;
    /**
     * When the contract ends.
     */
    contract_ends_at: string | null;
    /**
     * Who looks after this customer.
     */
    sales_owner: string | null;
    /**
     * The keys of the products that the tenant has, in alphabetical order.
     */
    products: string[];
    /**
     * The states that the tenant can go to from here.
     */
    allowed_transitions: (("demo" | "trial" | "active" | "frozen" | "archived") | LaterValue)[];
    /**
     * Why the tenant is in its effective state; null where nobody gave a reason.
     */
    status_reason: (("trial_expired" | "converted" | "contract_signed" | "payment_overdue" | "contract_ended" | "customer_request" | "security_incident" | "abuse" | "legal_hold" | "duplicate" | "demo_expired" | "offboarding" | "reinstated" | "restored" | "migration") | LaterValue) | null;
    /**
     * What was noted when the state was changed.
     */
    status_note: string | null;
    /**
     * Since when the tenant is in its effective state.
     * @format date-time
     */
    status_changed_at: string;
    /**
     * Who changed the state: an operator, or the job that ends trials.
     */
    status_changed_by: string | null;
    /**
     * What the tenant was frozen or archived out of.
     */
    frozen_from: (("demo" | "trial" | "active" | "frozen" | "archived") | LaterValue) | null;
    /**
     * Whether the tenant cannot be purged, whatever else holds.
     */
    deletion_protection: boolean;
    /**
     * API keys that were not issued after this are dead for good.
     */
    keys_valid_after: string | null;
    /**
     * What every API key of the tenant has to keep to, judged when one is made, changed or rotated.
     */
    key_policy: KeyPolicy;
    /**
     * When the tenant was archived.
     */
    archived_at: string | null;
    /**
     * From when on the archived tenant can be purged.
     */
    purge_after: string | null;
    /**
     * When the purge of the tenant was asked for. What is left of it is on its way out.
     */
    purge_requested_at: string | null;
    /**
     * Whatever you want to keep with the tenant: up to 50 names with a text each.
     */
    metadata: Record<string, string>;
    /**
     * Grows with every change. `If-Match` compares it.
     * @minimum -9007199254740991
     * @maximum 9007199254740991
     */
    version: number;
    /**
     * When the tenant was created.
     * @format date-time
     */
    created_at: string;
    /**
     * When anything of the tenant last changed.
     * @format date-time
     */
    updated_at: string;
};

/**
 * What every API key of a tenant has to keep to.
 */
export type KeyPolicy = {
    /**
     * The most days that a key may live, from when it was made.
     * @minimum 1
     * @maximum 3650
     */
    max_days?: number;
    /**
     * Whether a key has to have an end.
     */
    expiry_required?: boolean;
};

/**
 * What it takes to create a tenant: a slug and a name, the rest if you like.
 */
export type NewTenant = {
    /**
     * The id of the tenant. It never changes. Made for you unless you choose one.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    id?: string;
    /**
     * The name of the tenant in host names and paths.
     * @minLength 3
     * @maxLength 63
     * @pattern ^(?!.*--)(?=.*[a-z])(?![0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$
     */
    slug: string;
    /**
     * Why this tenant may have a reserved slug. Only a platform owner can give one.
     * @minLength 1
     * @maxLength 500
     */
    reserved_slug_reason?: string;
    /**
     * The name of the tenant, for people.
     * @minLength 1
     * @maxLength 200
     */
    name: string;
    /**
     * Where the tenant is in its life, as it was last written down. `trial` unless you choose; `active` needs a plan.
     */
    status?: "demo" | "trial" | "active";
    /**
     * Whether this is a customer or a demonstration. It follows from the status unless you choose.
     */
    kind?: "customer" | "demo";
    /**
     * The plan that was bought, one that a product manifest knows.
     */
    plan?: string | null;
    /**
     * The id of the customer in the ERP system. No two tenants share one.
     */
    erp_id?: string | null;
    /**
     * The id of the customer at Stripe. No two tenants share one.
     */
    stripe_id?: string | null;
    /**
     * When the trial is over. It is over at that very instant.
     */
    trial_ends_at?: string | null;
    /**
     * When the contract begins.
     */
    contract_starts_at?: string | null;
    /**
     * When the contract ends.
     */
    contract_ends_at?: string | null;
    /**
     * Who looks after this customer.
     */
    sales_owner?: string | null;
    /**
     * Whether the tenant cannot be purged, whatever else holds.
     */
    deletion_protection?: boolean;
    /**
     * What every API key of the tenant has to keep to, judged when one is made, changed or rotated.
     */
    key_policy?: KeyPolicy;
    /**
     * Whatever you want to keep with the tenant: up to 50 names with a text each.
     */
    metadata?: Record<string, string>;
};

/**
 * One page of a list.
 */
export type TenantPage = {
    /**
     * What the page holds, in the order of the list.
     */
    data: Tenant[];
    /**
     * Whether there is another page.
     */
    has_more: boolean;
    /**
     * Hand this back as `cursor` for the next page; null on the last one.
     */
    next_cursor: string | null;
};

/**
 * One page of a list.
 */
export type TenantSummaryPage = {
    /**
     * What the page holds, in the order of the list.
     */
    data: TenantSummary[];
    /**
     * Whether there is another page.
     */
    has_more: boolean;
    /**
     * Hand this back as `cursor` for the next page; null on the last one.
     */
    next_cursor: string | null;
};

/**
 * A customer organization of the platform, as its own people and the products see it.
 */
export type TenantSummary = {
    /**
     * The id of the tenant. It never changes.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    id: string;
    /**
     * The name of the tenant in host names and paths.
     */
    slug: string;
    /**
     * The name of the tenant, for people.
     */
    name: string;
    /**
     * Where the tenant is in its life, as it was last written down.
     */
    status: ("demo" | "trial" | "active" | "frozen" | "archived") | LaterValue;
    /**
     * Where the tenant is in its life now: an ended trial is `frozen` from that instant on.
     */
    effective_status: ("demo" | "trial" | "active" | "frozen" | "archived") | LaterValue;
    /**
     * Why the tenant is in its effective state; null where nobody gave a reason.
     */
    status_reason: (("trial_expired" | "converted" | "contract_signed" | "payment_overdue" | "contract_ended" | "customer_request" | "security_incident" | "abuse" | "legal_hold" | "duplicate" | "demo_expired" | "offboarding" | "reinstated" | "restored" | "migration") | LaterValue) | null;
    /**
     * The plan that was bought, one that a product manifest knows.
     */
    plan: string | null;
    /**
     * When the trial is over. It is over at that very instant.
     */
    trial_ends_at: string | null;
    /**
     * The keys of the products that the tenant has, in alphabetical order.
     */
    products: string[];
    /**
     * Grows with every change. `If-Match` compares it.
     * @minimum -9007199254740991
     * @maximum 9007199254740991
     */
    version: number;
    /**
     * When the tenant was created.
     * @format date-time
     */
    created_at: string;
    /**
     * When anything of the tenant last changed.
     * @format date-time
     */
    updated_at: string;
};

/**
 * A merge patch (RFC 7396) of a tenant: null clears a field, an absent one stays.
 */
export type TenantChanges = {
    /**
     * The name of the tenant in host names and paths. The name of before stays the tenant's too.
     * @minLength 3
     * @maxLength 63
     * @pattern ^(?!.*--)(?=.*[a-z])(?![0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$
     */
    slug?: string;
    /**
     * Why this tenant may have a reserved slug. Only a platform owner can give one.
     * @minLength 1
     * @maxLength 500
     */
    reserved_slug_reason?: string;
    /**
     * The name of the tenant, for people.
     * @minLength 1
     * @maxLength 200
     */
    name?: string;
    /**
     * The plan that was bought, one that a product manifest knows.
     */
    plan?: string | null;
    /**
     * The id of the customer in the ERP system. No two tenants share one.
     */
    erp_id?: string | null;
    /**
     * The id of the customer at Stripe. No two tenants share one.
     */
    stripe_id?: string | null;
    /**
     * When the trial is over. It is over at that very instant.
     */
    trial_ends_at?: string | null;
    /**
     * When the contract begins.
     */
    contract_starts_at?: string | null;
    /**
     * When the contract ends.
     */
    contract_ends_at?: string | null;
    /**
     * Who looks after this customer.
     */
    sales_owner?: string | null;
    /**
     * Whether the tenant cannot be purged, whatever else holds.
     */
    deletion_protection?: boolean;
    /**
     * What every API key of the tenant has to keep to, judged when one is made, changed or rotated. A rule with null goes, one that is absent stays; null clears all.
     */
    key_policy?: KeyPolicyChanges | null;
    /**
     * Whatever you want to keep with the tenant: up to 50 names with a text each. A name with null goes, one that is absent stays.
     */
    metadata?: Record<string, string | null> | null;
};

/**
 * What changes of what every API key of a tenant has to keep to.
 */
export type KeyPolicyChanges = {
    /**
     * The most days that a key may live, from when it was made.
     */
    max_days?: number | null;
    /**
     * Whether a key has to have an end.
     */
    expiry_required?: boolean | null;
};

/**
 * What would follow from a transition. Nothing was changed.
 */
export type TransitionPreview = {
    /**
     * The tenant as it would be.
     */
    tenant: Tenant;
    /**
     * The tenant's products, in alphabetical order.
     */
    products: {
        /**
         * The key of the product.
         */
        product: string;
        /**
         * What the tenant may do with the product as things are: `full`, `read_only` or `none`.
         */
        access_before: string;
        /**
         * What it may do with it afterwards.
         */
        access_after: string;
        /**
         * Why.
         */
        reason_after: string;
    }[];
    /**
     * What becomes of the projects.
     */
    projects: {
        /**
         * How many projects are active as things are.
         * @minimum -9007199254740991
         * @maximum 9007199254740991
         */
        active_before: number;
        /**
         * How many would be.
         * @minimum -9007199254740991
         * @maximum 9007199254740991
         */
        active_after: number;
    };
    /**
     * What becomes of the API keys.
     */
    api_keys: {
        /**
         * How many API keys are good as things are.
         * @minimum -9007199254740991
         * @maximum 9007199254740991
         */
        verifying_before: number;
        /**
         * How many would be.
         * @minimum -9007199254740991
         * @maximum 9007199254740991
         */
        verifying_after: number;
    };
};

/**
 * A step in the life of a tenant: where to, and why.
 */
export type Transition = {
    /**
     * The state to go to.
     */
    to: "demo" | "trial" | "active" | "frozen" | "archived";
    /**
     * Why.
     */
    reason: "trial_expired" | "converted" | "contract_signed" | "payment_overdue" | "contract_ended" | "customer_request" | "security_incident" | "abuse" | "legal_hold" | "duplicate" | "demo_expired" | "offboarding" | "reinstated" | "restored" | "migration";
    /**
     * What the platform's people should know.
     * @maxLength 2000
     */
    note?: string;
    /**
     * The plan that was bought: `active` needs one, here or before.
     * @minLength 1
     * @maxLength 100
     */
    plan?: string;
    /**
     * When the trial will be over; only towards `trial`.
     */
    trial_ends_at?: string | null;
};

/**
 * The slug of the tenant that is to go for good.
 */
export type PurgeRequest = {
    /**
     * The slug of the tenant, to be sure that it is this one.
     * @maxLength 63
     */
    slug: string;
};

/**
 * That a tenant and its log have to be kept.
 */
export type LegalHold = {
    /**
     * Why it has to be kept.
     */
    reason: string;
    /**
     * Who said so.
     */
    by: string;
    /**
     * Since when.
     * @format date-time
     */
    at: string;
};

/**
 * Why a tenant and its log have to be kept.
 */
export type NewLegalHold = {
    /**
     * Why it has to be kept.
     * @minLength 1
     * @maxLength 500
     */
    reason: string;
};

/**
 * A name that leads to no tenant any more and that anybody may take.
 */
export type ReleasedSlug = {
    /**
     * The name.
     */
    slug: string;
    /**
     * Since when anybody may take it.
     * @format date-time
     */
    released_at: string;
};

/**
 * Why a name of before may be taken again.
 */
export type SlugRelease = {
    /**
     * Why it may be taken again.
     * @minLength 1
     * @maxLength 500
     */
    reason: string;
};

/**
 * All that the registry has of a tenant, without secrets.
 */
export type TenantExport = {
    /**
     * When this was written.
     * @format date-time
     */
    exported_at: string;
    /**
     * The tenant.
     */
    tenant: Tenant;
    /**
     * The legal hold on the tenant, if there is one.
     */
    legal_hold: LegalHold | null;
    /**
     * The names that the tenant had before, oldest first.
     */
    former_slugs: string[];
    /**
     * The products that the tenant has, and on which terms.
     */
    products: TenantProduct[];
    /**
     * The projects of the tenant, newest first, also the archived ones.
     */
    projects: Project[];
    /**
     * The API keys of the tenant, newest first, also the ended ones, without their secrets.
     */
    api_keys: OwnApiKey[];
};

/**
 * That a tenant has a product, and on which terms.
 */
export type TenantProduct = {
    /**
     * The id of the tenant.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
    /**
     * The key of the product.
     */
    product: string;
    /**
     * Whether the tenant may use the product. One that is not enabled keeps its configuration.
     */
    enabled: boolean;
    /**
     * The tenant's own configuration. It goes over that of the plan, which goes over the product's defaults.
     */
    config: Record<string, unknown>;
    /**
     * The tenant's own limits by name. They go over those of the plan and of the product.
     */
    limits: Record<string, number>;
    /**
     * From when on the tenant may use the product; null for since ever.
     */
    valid_from: string | null;
    /**
     * Until when the tenant may use the product: no longer at that very instant. Null for no end.
     */
    valid_until: string | null;
    /**
     * Where the assignment comes from: `manual`, or the system that sold it.
     */
    source: string;
    /**
     * Grows with every change. `If-Match` compares it.
     * @minimum -9007199254740991
     * @maximum 9007199254740991
     */
    version: number;
    /**
     * When the tenant got the product.
     * @format date-time
     */
    created_at: string;
    /**
     * When anything of it last changed.
     * @format date-time
     */
    updated_at: string;
};

/**
 * A project of a tenant.
 */
export type Project = {
    /**
     * The id of the project. It never changes.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    id: string;
    /**
     * The id of the tenant whose project it is.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
    /**
     * The name of the project in paths: unique within its tenant. It never changes and is never given again.
     */
    slug: string;
    /**
     * The name of the project, for people.
     */
    name: string;
    /**
     * Whatever you want to sort projects by: up to 20 names with a text each.
     */
    labels: Record<string, string>;
    /**
     * Whether the project was archived.
     */
    status: ("active" | "archived") | LaterValue;
    /**
     * What can be done with the project now: what the state of its tenant leaves of its own.
     */
    effective_status: ("active" | "frozen" | "archived") | LaterValue;
    /**
     * Grows with every change. `If-Match` compares it.
     * @minimum -9007199254740991
     * @maximum 9007199254740991
     */
    version: number;
    /**
     * When the project was created.
     * @format date-time
     */
    created_at: string;
    /**
     * When anything of the project last changed.
     * @format date-time
     */
    updated_at: string;
    /**
     * When the project was archived; null while it is not.
     */
    archived_at: string | null;
};

/**
 * An API key, as its tenant sees it.
 */
export type OwnApiKey = {
    /**
     * The id of the key. It never changes.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    id: string;
    /**
     * The id of the tenant whose key it is.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
    /**
     * The project that the key is bound to; null for a key of the whole tenant.
     */
    project_id: string | null;
    /**
     * What the key is for, for people.
     */
    name: string;
    /**
     * The public part of the key: safe to show and to log. It finds the key again.
     */
    prefix: string;
    /**
     * Whether the key is for real work or for trying things out.
     */
    environment: ("live" | "test") | LaterValue;
    /**
     * Whom the key opens: the key of a product, or `tenant-registry` for this API. It follows from the scopes.
     */
    audience: string;
    /**
     * What the key may be used for: `area:verb`, or `area:*` for everything of an area.
     */
    scopes: string[];
    /**
     * Whether the key can be used, as far as that depends on the key itself.
     */
    status: ("active" | "disabled" | "expired" | "revoked") | LaterValue;
    /**
     * Whether the key was switched off for a while.
     */
    enabled: boolean;
    /**
     * From when on the key is no longer valid; null for never.
     */
    expires_at: string | null;
    /**
     * From where the key may be used: networks in CIDR notation, IPv4 or IPv6. An empty list allows every address.
     */
    ip_allow: string[];
    /**
     * Whatever you want to remember with the key: up to 20 names with a text each. No secrets.
     */
    metadata: Record<string, string>;
    /**
     * The first of the keys that were made from each other by rotation.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    family_id: string;
    /**
     * The key that took its place by rotation, if one did.
     */
    replaced_by: string | null;
    /**
     * When the key ended for good; null while it has not.
     */
    revoked_at: string | null;
    /**
     * Why it ended.
     */
    revoked_reason: string | null;
    /**
     * When the key was last used, up to a minute late; null for never.
     */
    last_used_at: string | null;
    /**
     * From where it was last used, where that is known.
     */
    last_used_ip: string | null;
    /**
     * Grows with every change. `If-Match` compares it.
     * @minimum -9007199254740991
     * @maximum 9007199254740991
     */
    version: number;
    /**
     * When the key was made.
     * @format date-time
     */
    created_at: string;
    /**
     * When anything of the key last changed.
     * @format date-time
     */
    updated_at: string;
};

/**
 * All that a tenant's own people see of it, without secrets.
 */
export type TenantSummaryExport = {
    /**
     * When this was written.
     * @format date-time
     */
    exported_at: string;
    /**
     * The tenant.
     */
    tenant: TenantSummary;
    /**
     * The names that the tenant had before, oldest first.
     */
    former_slugs: string[];
    /**
     * The products that the tenant has, and on which terms.
     */
    products: TenantProduct[];
    /**
     * The projects of the tenant, newest first, also the archived ones.
     */
    projects: Project[];
    /**
     * The API keys of the tenant, newest first, also the ended ones, without their secrets.
     */
    api_keys: OwnApiKey[];
};

/**
 * What became of a line of an import.
 */
export type ImportResult = {
    /**
     * The number of the line, from 1.
     * @minimum -9007199254740991
     * @maximum 9007199254740991
     */
    line: number;
    /**
     * What became of it.
     */
    outcome: "created" | "refused";
    /**
     * The id of the tenant that was made.
     */
    id: string | null;
    /**
     * The slug of the line, where it could be read.
     */
    slug: string | null;
    /**
     * Why it was refused: a code of the published table.
     */
    code: string | null;
    /**
     * Why it was refused, for people.
     */
    detail: string | null;
    /**
     * Everything that is wrong with the line.
     */
    errors: {
        /**
         * Where in the line: a JSON pointer.
         */
        pointer: string;
        /**
         * What is wrong, in one word.
         */
        code: string;
        /**
         * What is wrong, for people.
         */
        message: string;
    }[];
};

/**
 * A tenant to create, and the products that it has from the beginning.
 */
export type ImportedTenant = {
    /**
     * The id of the tenant. It never changes. Made for you unless you choose one.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    id?: string;
    /**
     * The name of the tenant in host names and paths.
     * @minLength 3
     * @maxLength 63
     * @pattern ^(?!.*--)(?=.*[a-z])(?![0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$
     */
    slug: string;
    /**
     * Why this tenant may have a reserved slug. Only a platform owner can give one.
     * @minLength 1
     * @maxLength 500
     */
    reserved_slug_reason?: string;
    /**
     * The name of the tenant, for people.
     * @minLength 1
     * @maxLength 200
     */
    name: string;
    /**
     * Where the tenant is in its life, as it was last written down. `trial` unless you choose; `active` needs a plan.
     */
    status?: "demo" | "trial" | "active";
    /**
     * Whether this is a customer or a demonstration. It follows from the status unless you choose.
     */
    kind?: "customer" | "demo";
    /**
     * The plan that was bought, one that a product manifest knows.
     */
    plan?: string | null;
    /**
     * The id of the customer in the ERP system. No two tenants share one.
     */
    erp_id?: string | null;
    /**
     * The id of the customer at Stripe. No two tenants share one.
     */
    stripe_id?: string | null;
    /**
     * When the trial is over. It is over at that very instant.
     */
    trial_ends_at?: string | null;
    /**
     * When the contract begins.
     */
    contract_starts_at?: string | null;
    /**
     * When the contract ends.
     */
    contract_ends_at?: string | null;
    /**
     * Who looks after this customer.
     */
    sales_owner?: string | null;
    /**
     * Whether the tenant cannot be purged, whatever else holds.
     */
    deletion_protection?: boolean;
    /**
     * What every API key of the tenant has to keep to, judged when one is made, changed or rotated.
     */
    key_policy?: KeyPolicy;
    /**
     * Whatever you want to keep with the tenant: up to 50 names with a text each.
     */
    metadata?: Record<string, string>;
    /**
     * The keys of the products to assign to it.
     * @maxItems 50
     */
    products?: string[];
};

/**
 * What it takes to create a project.
 */
export type NewProject = {
    /**
     * The name of the project in paths: unique within its tenant. It never changes and is never given again.
     * @minLength 3
     * @maxLength 63
     * @pattern ^(?!.*--)(?=.*[a-z])(?![0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$
     */
    slug: string;
    /**
     * The name of the project, for people.
     * @minLength 1
     * @maxLength 200
     */
    name: string;
    /**
     * Whatever you want to sort projects by: up to 20 names with a text each.
     */
    labels?: Record<string, string>;
};

/**
 * One page of a list.
 */
export type ProjectPage = {
    /**
     * What the page holds, in the order of the list.
     */
    data: Project[];
    /**
     * Whether there is another page.
     */
    has_more: boolean;
    /**
     * Hand this back as `cursor` for the next page; null on the last one.
     */
    next_cursor: string | null;
};

/**
 * A merge patch (RFC 7396) of a project: null clears, an absent field stays.
 */
export type ProjectChanges = {
    /**
     * The name of the project, for people.
     * @minLength 1
     * @maxLength 200
     */
    name?: string;
    /**
     * Whatever you want to sort projects by: up to 20 names with a text each. A name with null goes, one that is absent stays; null clears all.
     */
    labels?: Record<string, string | null> | null;
};

/**
 * One page of a list.
 */
export type ProductPage = {
    /**
     * What the page holds, in the order of the list.
     */
    data: Product[];
    /**
     * Whether there is another page.
     */
    has_more: boolean;
    /**
     * Hand this back as `cursor` for the next page; null on the last one.
     */
    next_cursor: string | null;
};

/**
 * A product of the platform.
 */
export type Product = {
    /**
     * The key of the product. It never changes.
     */
    key: string;
    /**
     * The name of the product, for people.
     */
    name: string;
    /**
     * Whether tenants can get the product, or nobody may use it any more.
     */
    status: ("active" | "retired") | LaterValue;
    /**
     * The team that answers for the product.
     */
    owner: string;
    /**
     * Whether tenants of the product can have projects.
     */
    supports_projects: boolean;
    /**
     * The features that are on without a plan.
     */
    features: string[];
    /**
     * The limits that hold without a plan.
     */
    limits: Record<string, number>;
    /**
     * The plans of the product by name.
     */
    plans: Record<string, ProductPlan>;
    /**
     * What a configuration has to fit, in JSON Schema 2020-12; null where anything does.
     */
    config_schema: Record<string, unknown> | null;
    /**
     * What every configuration starts from.
     */
    default_config: Record<string, unknown>;
    /**
     * What API keys of the product may be allowed.
     */
    scopes: string[];
    /**
     * The products that a tenant has to have for it.
     */
    requires: string[];
};

/**
 * What a plan of a product gives.
 */
export type ProductPlan = {
    /**
     * What goes over the default configuration.
     */
    config: Record<string, unknown>;
    /**
     * What goes over the default limits.
     */
    limits: Record<string, number>;
    /**
     * The features that are on.
     */
    features: string[];
};

/**
 * One page of a list.
 */
export type TenantProductPage = {
    /**
     * What the page holds, in the order of the list.
     */
    data: TenantProduct[];
    /**
     * Whether there is another page.
     */
    has_more: boolean;
    /**
     * Hand this back as `cursor` for the next page; null on the last one.
     */
    next_cursor: string | null;
};

/**
 * What a change would mean. Nothing was changed.
 */
export type TenantProductPreview = {
    /**
     * What the tenant may do with the product now.
     */
    before: Entitlement;
    /**
     * What it could do with it then.
     */
    after: Entitlement;
};

/**
 * The terms on which a tenant has a product. They replace those of before: what is absent is not agreed.
 */
export type NewTenantProduct = {
    /**
     * Whether the tenant may use the product. One that is not enabled keeps its configuration. `true` unless told.
     */
    enabled?: boolean;
    /**
     * The tenant's own configuration. It goes over that of the plan, which goes over the product's defaults.
     */
    config?: Record<string, unknown>;
    /**
     * The tenant's own limits by name. They go over those of the plan and of the product.
     */
    limits?: Record<string, number>;
    /**
     * From when on the tenant may use the product; null for since ever.
     */
    valid_from?: string | null;
    /**
     * Until when the tenant may use the product: no longer at that very instant. Null for no end.
     */
    valid_until?: string | null;
    /**
     * Where the assignment comes from: `manual`, or the system that sold it. `manual` unless told.
     * @minLength 1
     * @maxLength 100
     */
    source?: string;
};

/**
 * A merge patch (RFC 7396) of the terms: null clears, what is absent stays.
 */
export type TenantProductChanges = {
    /**
     * Whether the tenant may use the product. One that is not enabled keeps its configuration.
     */
    enabled?: boolean;
    /**
     * The tenant's own configuration. It goes over that of the plan, which goes over the product's defaults. Merged into it; a name with null goes, and null clears all.
     */
    config?: Record<string, unknown> | null;
    /**
     * The tenant's own limits by name. They go over those of the plan and of the product. A name with null goes, one that is absent stays; null clears all.
     */
    limits?: Record<string, number | null> | null;
    /**
     * From when on the tenant may use the product; null for since ever.
     */
    valid_from?: string | null;
    /**
     * Until when the tenant may use the product: no longer at that very instant. Null for no end.
     */
    valid_until?: string | null;
    /**
     * Where the assignment comes from: `manual`, or the system that sold it.
     * @minLength 1
     * @maxLength 100
     */
    source?: string;
};

/**
 * An API key that was just made, with its secret.
 */
export type IssuedApiKey = {
    /**
     * The id of the key. It never changes.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    id: string;
    /**
     * The id of the tenant whose key it is.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
    /**
     * The project that the key is bound to; null for a key of the whole tenant.
     */
    project_id: string | null;
    /**
     * What the key is for, for people.
     */
    name: string;
    /**
     * The public part of the key: safe to show and to log. It finds the key again.
     */
    prefix: string;
    /**
     * Whether the key is for real work or for trying things out.
     */
    environment: ("live" | "test") | LaterValue;
    /**
     * Whom the key opens: the key of a product, or `tenant-registry` for this API. It follows from the scopes.
     */
    audience: string;
    /**
     * What the key may be used for: `area:verb`, or `area:*` for everything of an area.
     */
    scopes: string[];
    /**
     * Whether the key can be used, as far as that depends on the key itself.
     */
    status: ("active" | "disabled" | "expired" | "revoked") | LaterValue;
    /**
     * Whether the key was switched off for a while.
     */
    enabled: boolean;
    /**
     * From when on the key is no longer valid; null for never.
     */
    expires_at: string | null;
    /**
     * From where the key may be used: networks in CIDR notation, IPv4 or IPv6. An empty list allows every address.
     */
    ip_allow: string[];
    /**
     * Whatever you want to remember with the key: up to 20 names with a text each. No secrets.
     */
    metadata: Record<string, string>;
    /**
     * The first of the keys that were made from each other by rotation.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    family_id: string;
    /**
     * The key that took its place by rotation, if one did.
     */
    replaced_by: string | null;
    /**
     * Who made the key.
     */
    created_by: string | null;
    /**
     * When the key ended for good; null while it has not.
     */
    revoked_at: string | null;
    /**
     * Why it ended.
     */
    revoked_reason: string | null;
    /**
     * Who ended it; null when all keys of the tenant were ended.
     */
    revoked_by: string | null;
    /**
     * When the key was last used, up to a minute late; null for never.
     */
    last_used_at: string | null;
    /**
     * From where it was last used, where that is known.
     */
    last_used_ip: string | null;
    /**
     * Grows with every change. `If-Match` compares it.
     * @minimum -9007199254740991
     * @maximum 9007199254740991
     */
    version: number;
    /**
     * When the key was made.
     * @format date-time
     */
    created_at: string;
    /**
     * When anything of the key last changed.
     * @format date-time
     */
    updated_at: string;
    /**
     * The key itself. It is shown here and never again: keep it where secrets are kept.
     */
    key: string;
};

/**
 * An API key that was just made, with its secret, as its tenant sees it.
 */
export type OwnIssuedApiKey = {
    /**
     * The id of the key. It never changes.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    id: string;
    /**
     * The id of the tenant whose key it is.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
    /**
     * The project that the key is bound to; null for a key of the whole tenant.
     */
    project_id: string | null;
    /**
     * What the key is for, for people.
     */
    name: string;
    /**
     * The public part of the key: safe to show and to log. It finds the key again.
     */
    prefix: string;
    /**
     * Whether the key is for real work or for trying things out.
     */
    environment: ("live" | "test") | LaterValue;
    /**
     * Whom the key opens: the key of a product, or `tenant-registry` for this API. It follows from the scopes.
     */
    audience: string;
    /**
     * What the key may be used for: `area:verb`, or `area:*` for everything of an area.
     */
    scopes: string[];
    /**
     * Whether the key can be used, as far as that depends on the key itself.
     */
    status: ("active" | "disabled" | "expired" | "revoked") | LaterValue;
    /**
     * Whether the key was switched off for a while.
     */
    enabled: boolean;
    /**
     * From when on the key is no longer valid; null for never.
     */
    expires_at: string | null;
    /**
     * From where the key may be used: networks in CIDR notation, IPv4 or IPv6. An empty list allows every address.
     */
    ip_allow: string[];
    /**
     * Whatever you want to remember with the key: up to 20 names with a text each. No secrets.
     */
    metadata: Record<string, string>;
    /**
     * The first of the keys that were made from each other by rotation.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    family_id: string;
    /**
     * The key that took its place by rotation, if one did.
     */
    replaced_by: string | null;
    /**
     * When the key ended for good; null while it has not.
     */
    revoked_at: string | null;
    /**
     * Why it ended.
     */
    revoked_reason: string | null;
    /**
     * When the key was last used, up to a minute late; null for never.
     */
    last_used_at: string | null;
    /**
     * From where it was last used, where that is known.
     */
    last_used_ip: string | null;
    /**
     * Grows with every change. `If-Match` compares it.
     * @minimum -9007199254740991
     * @maximum 9007199254740991
     */
    version: number;
    /**
     * When the key was made.
     * @format date-time
     */
    created_at: string;
    /**
     * When anything of the key last changed.
     * @format date-time
     */
    updated_at: string;
    /**
     * The key itself. It is shown here and never again: keep it where secrets are kept.
     */
    key: string;
};

/**
 * What it takes to make an API key.
 */
export type NewApiKey = {
    /**
     * What the key is for, for people.
     * @minLength 1
     * @maxLength 200
     */
    name: string;
    /**
     * What the key may be used for: `area:verb`, or `area:*` for everything of an area.
     * @minItems 1
     * @maxItems 100
     */
    scopes: string[];
    /**
     * From when on the key is no longer valid; null for never.
     */
    expires_at?: string | null;
    /**
     * From where the key may be used: networks in CIDR notation, IPv4 or IPv6. An empty list allows every address.
     * @maxItems 50
     */
    ip_allow?: string[];
    /**
     * The project that the key is bound to; null for a key of the whole tenant.
     */
    project_id?: string | null;
    /**
     * Whether the key is for real work or for trying things out. `live` unless told.
     */
    environment?: "live" | "test";
    /**
     * Whatever you want to remember with the key: up to 20 names with a text each. No secrets.
     */
    metadata?: Record<string, string>;
    /**
     * For keys of the platform's own tenant alone: the product that the key speaks for.
     * @maxLength 63
     * @pattern ^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$
     */
    product?: string;
};

/**
 * One page of a list.
 */
export type ApiKeyPage = {
    /**
     * What the page holds, in the order of the list.
     */
    data: ApiKey[];
    /**
     * Whether there is another page.
     */
    has_more: boolean;
    /**
     * Hand this back as `cursor` for the next page; null on the last one.
     */
    next_cursor: string | null;
};

/**
 * An API key, without its secret.
 */
export type ApiKey = {
    /**
     * The id of the key. It never changes.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    id: string;
    /**
     * The id of the tenant whose key it is.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
    /**
     * The project that the key is bound to; null for a key of the whole tenant.
     */
    project_id: string | null;
    /**
     * What the key is for, for people.
     */
    name: string;
    /**
     * The public part of the key: safe to show and to log. It finds the key again.
     */
    prefix: string;
    /**
     * Whether the key is for real work or for trying things out.
     */
    environment: ("live" | "test") | LaterValue;
    /**
     * Whom the key opens: the key of a product, or `tenant-registry` for this API. It follows from the scopes.
     */
    audience: string;
    /**
     * What the key may be used for: `area:verb`, or `area:*` for everything of an area.
     */
    scopes: string[];
    /**
     * Whether the key can be used, as far as that depends on the key itself.
     */
    status: ("active" | "disabled" | "expired" | "revoked") | LaterValue;
    /**
     * Whether the key was switched off for a while.
     */
    enabled: boolean;
    /**
     * From when on the key is no longer valid; null for never.
     */
    expires_at: string | null;
    /**
     * From where the key may be used: networks in CIDR notation, IPv4 or IPv6. An empty list allows every address.
     */
    ip_allow: string[];
    /**
     * Whatever you want to remember with the key: up to 20 names with a text each. No secrets.
     */
    metadata: Record<string, string>;
    /**
     * The first of the keys that were made from each other by rotation.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    family_id: string;
    /**
     * The key that took its place by rotation, if one did.
     */
    replaced_by: string | null;
    /**
     * Who made the key.
     */
    created_by: string | null;
    /**
     * When the key ended for good; null while it has not.
     */
    revoked_at: string | null;
    /**
     * Why it ended.
     */
    revoked_reason: string | null;
    /**
     * Who ended it; null when all keys of the tenant were ended.
     */
    revoked_by: string | null;
    /**
     * When the key was last used, up to a minute late; null for never.
     */
    last_used_at: string | null;
    /**
     * From where it was last used, where that is known.
     */
    last_used_ip: string | null;
    /**
     * Grows with every change. `If-Match` compares it.
     * @minimum -9007199254740991
     * @maximum 9007199254740991
     */
    version: number;
    /**
     * When the key was made.
     * @format date-time
     */
    created_at: string;
    /**
     * When anything of the key last changed.
     * @format date-time
     */
    updated_at: string;
};

/**
 * One page of a list.
 */
export type OwnApiKeyPage = {
    /**
     * What the page holds, in the order of the list.
     */
    data: OwnApiKey[];
    /**
     * Whether there is another page.
     */
    has_more: boolean;
    /**
     * Hand this back as `cursor` for the next page; null on the last one.
     */
    next_cursor: string | null;
};

/**
 * What ended all keys of a tenant, or would.
 */
export type RevokedApiKeys = {
    /**
     * How many keys that could still be used it ended.
     * @minimum -9007199254740991
     * @maximum 9007199254740991
     */
    api_keys: number;
    /**
     * Only keys that were made after this are valid; null in a dry run of a tenant that never ended all.
     */
    keys_valid_after: string | null;
    /**
     * Why.
     */
    reason: string;
};

/**
 * Why a key, or all keys, are ended for good.
 */
export type ApiKeyRevocation = {
    /**
     * Why, for those who look at the key later: `compromised`, `no_longer_needed`, or your own words.
     * @minLength 1
     * @maxLength 200
     */
    reason: string;
};

/**
 * A merge patch (RFC 7396) of an API key: null clears, an absent field stays.
 */
export type ApiKeyChanges = {
    /**
     * What the key is for, for people.
     * @minLength 1
     * @maxLength 200
     */
    name?: string;
    /**
     * What the key may be used for: `area:verb`, or `area:*` for everything of an area.
     * @minItems 1
     * @maxItems 100
     */
    scopes?: string[];
    /**
     * From when on the key is no longer valid; null for never.
     */
    expires_at?: string | null;
    /**
     * Whether the key was switched off for a while.
     */
    enabled?: boolean;
    /**
     * From where the key may be used: networks in CIDR notation, IPv4 or IPv6. An empty list allows every address. null clears it.
     */
    ip_allow?: string[] | null;
    /**
     * Whatever you want to remember with the key: up to 20 names with a text each. No secrets. A name with null goes, one that is absent stays; null clears all.
     */
    metadata?: Record<string, string | null> | null;
};

/**
 * How long a key lives on beside the one that takes its place.
 */
export type ApiKeyRotation = {
    /**
     * For how long the old key lives on, at most until its own end: 0 to 2592000 seconds, a day unless told.
     * @minimum 0
     * @maximum 2592000
     */
    overlap_seconds?: number;
};

/**
 * The key that was looked for, if there is one.
 */
export type FoundApiKeys = {
    /**
     * The key, if there is one.
     */
    data: ApiKey[];
};

/**
 * A key that is to be ended by whoever holds it.
 */
export type LeakedApiKey = {
    /**
     * The whole key.
     */
    key: string;
};

/**
 * A part of the feed of changes.
 */
export type ChangePage = {
    /**
     * What changed after `after`, as far as you see it, oldest first.
     */
    data: RegistryChange[];
    /**
     * Whether more has happened already. `data` may be empty all the same.
     */
    has_more: boolean;
    /**
     * Hand this back as `after` to go on.
     * @minimum 0
     * @maximum 9007199254740991
     */
    next_after: number;
    /**
     * The number of the latest change of all.
     * @minimum 0
     * @maximum 9007199254740991
     */
    head: number;
};

/**
 * That something changed, and when. Ask for the thing to see what it is.
 */
export type RegistryChange = {
    /**
     * The number of the change. Numbers have no gaps and are in the order of the commits.
     * @minimum 0
     * @maximum 9007199254740991
     */
    n: number;
    /**
     * When it was committed.
     * @format date-time
     */
    at: string;
    /**
     * What changed: it was made, altered or deleted.
     */
    kind: ("tenant" | "tenant_product" | "tenant_project" | "api_key") | LaterValue;
    /**
     * The tenant that it belongs to.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
    /**
     * The id of what changed; of a `tenant_product` the key of the product.
     */
    ref_id: string;
};

/**
 * What was recorded of events that were published.
 */
export type RecordedAuditEvents = {
    /**
     * Event by event, in the order of the request.
     */
    data: RecordedAuditEvent[];
};

/**
 * What was recorded of an event that was published.
 */
export type RecordedAuditEvent = {
    /**
     * The id of the event.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    id: string;
    /**
     * Retraced's hash of what was sent: 64 hexadecimal digits.
     */
    hash: string;
};

/**
 * Events to record.
 */
export type Publication = {
    /**
     * 1 to 1000 events. Those of one group stand in the log in this order.
     * @minItems 1
     * @maxItems 1000
     */
    events: PublishedEvent[];
    /**
     * With `external_id`, an event is not recorded again when one with this `external_id` was published in the last seven days, with `unique_by` too, by the same product in the same environment for the same group: the answer names that one. Every event has to have one then. What was published without `unique_by` is not looked at.
     */
    unique_by?: "external_id";
};

/**
 * An event, as a product publishes it.
 */
export type PublishedEvent = {
    /**
     * What was done, as `noun.verb`.
     * @minLength 1
     * @maxLength 1024
     */
    action: string;
    /**
     * Whether it created, read, updated or deleted something.
     */
    crud: "c" | "r" | "u" | "d";
    /**
     * For whom it was done.
     */
    group?: {
        /**
         * Its id: the id of a tenant that has or had the product, or any other.
         * @minLength 1
         * @maxLength 1024
         */
        id?: string;
        /**
         * What it is called.
         * @maxLength 262144
         */
        name?: string;
    };
    /**
     * Who did it. Only what nobody in particular did has none.
     */
    actor?: {
        /**
         * Its id: the same every time.
         * @minLength 1
         * @maxLength 1024
         */
        id?: string;
        /**
         * What it is called.
         * @maxLength 262144
         */
        name?: string;
        /**
         * Where to read on.
         * @maxLength 262144
         */
        href?: string;
        /**
         * What else is known of it. Kept in the order of its entries.
         */
        fields?: Record<string, string>;
    };
    /**
     * What it was done to.
     */
    target?: {
        /**
         * Its id: the same every time.
         * @minLength 1
         * @maxLength 1024
         */
        id?: string;
        /**
         * What it is called.
         * @maxLength 262144
         */
        name?: string;
        /**
         * Where to read on.
         * @maxLength 262144
         */
        href?: string;
        /**
         * What else is known of it. Kept in the order of its entries.
         */
        fields?: Record<string, string>;
        /**
         * What kind of thing it is.
         * @maxLength 262144
         */
        type?: string;
    };
    /**
     * When it happened, if that is not now.
     * @format date-time
     */
    created_at?: string;
    /**
     * Where the request came from: an IPv4 or IPv6 address, kept as it is spelled.
     */
    source_ip?: string;
    /**
     * What happened, for people.
     * @maxLength 262144
     */
    description?: string;
    /**
     * The part of the product that tells of it.
     * @maxLength 262144
     */
    component?: string;
    /**
     * The version of that part.
     * @maxLength 262144
     */
    version?: string;
    /**
     * The id that the product gives it.
     * @minLength 1
     * @maxLength 1024
     */
    external_id?: string;
    /**
     * Whether nobody in particular did it.
     */
    is_anonymous?: boolean;
    /**
     * Whether it failed.
     */
    is_failure?: boolean;
    /**
     * What belongs to it. Kept in the order of its entries.
     */
    fields?: Record<string, string>;
    /**
     * What belongs to its making. Kept in the order of its entries.
     */
    metadata?: Record<string, string>;
};

/**
 * One page of a list.
 */
export type AuditEventPage = {
    /**
     * What the page holds, in the order of the list.
     */
    data: AuditEvent[];
    /**
     * Whether there is another page.
     */
    has_more: boolean;
    /**
     * Hand this back as `cursor` for the next page; null on the last one.
     */
    next_cursor: string | null;
    /**
     * With `total=true`: how many events match, on all pages together; when there are more than are counted, how many were counted.
     * @minimum -9007199254740991
     * @maximum 9007199254740991
     */
    total?: number;
    /**
     * With `total=true`: whether there are no more than `total`.
     */
    total_is_exact?: boolean;
};

/**
 * An event of the audit log.
 */
export type AuditEvent = {
    /**
     * The id of the event.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    id: string;
    /**
     * The tenant whose log it is in; null when it is none, or one that is gone.
     */
    tenant_id: string | null;
    /**
     * The product that recorded it; `tenant-registry` for the registry itself.
     */
    product: string;
    /**
     * Whether it is about real things.
     */
    environment: ("live" | "test") | LaterValue;
    /**
     * What was done.
     */
    action: string;
    /**
     * Whether something was created, read, updated or deleted.
     */
    crud: ("c" | "r" | "u" | "d") | LaterValue;
    /**
     * When it happened: when it was said to have, else when it came in.
     * @format date-time
     */
    canonical_at: string;
    /**
     * When it was said to have happened.
     */
    created_at: string | null;
    /**
     * When it came in.
     * @format date-time
     */
    received_at: string;
    /**
     * For whom it was done, as the product says.
     */
    group: {
        /**
         * Its id.
         */
        id: string | null;
        /**
         * Its name.
         */
        name: string | null;
    };
    /**
     * Who did it.
     */
    actor: {
        /**
         * Its id.
         */
        id: string | null;
        /**
         * Its name.
         */
        name: string | null;
        /**
         * Where to read on.
         */
        href: string | null;
        /**
         * What else is known of it.
         */
        fields: Record<string, string> | null;
    };
    /**
     * What it was done to.
     */
    target: {
        /**
         * Its id.
         */
        id: string | null;
        /**
         * Its name.
         */
        name: string | null;
        /**
         * Where to read on.
         */
        href: string | null;
        /**
         * What kind of thing it is.
         */
        type: string | null;
        /**
         * What else is known of it.
         */
        fields: Record<string, string> | null;
    };
    /**
     * Where the request came from.
     */
    source_ip: string | null;
    /**
     * What happened, for people.
     */
    description: string | null;
    /**
     * The part of the product that recorded it.
     */
    component: string | null;
    /**
     * The version of that part.
     */
    version: string | null;
    /**
     * The id that the product gave it.
     */
    external_id: string | null;
    /**
     * Whether nobody in particular did it.
     */
    is_anonymous: boolean | null;
    /**
     * Whether it failed.
     */
    is_failure: boolean | null;
    /**
     * What belongs to it: for our own events what changed, as `before.…` and `after.…`.
     */
    fields: Record<string, string> | null;
    /**
     * What belongs to its making: the id of the request, and so on.
     */
    metadata: Record<string, string> | null;
};

/**
 * What the verification of a stream came to.
 */
export type AuditStreamVerification = {
    /**
     * The stream: the id of a tenant, for its own.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    stream_id: string;
    /**
     * Whether nothing was found.
     */
    intact: boolean;
    /**
     * What was found: the first thing of each kind in the stream, and in its checkpoints.
     */
    findings: AuditFinding[];
    /**
     * The first place that was verified.
     * @minimum -9007199254740991
     * @maximum 9007199254740991
     */
    from_seq: number;
    /**
     * The last one; what is before it is as it was written.
     * @minimum -9007199254740991
     * @maximum 9007199254740991
     */
    to_seq: number;
    /**
     * How many rows that were.
     * @minimum -9007199254740991
     * @maximum 9007199254740991
     */
    rows: number;
    /**
     * How many of them are redacted: of those, only what stays could be verified.
     * @minimum -9007199254740991
     * @maximum 9007199254740991
     */
    redacted: number;
    /**
     * Up to where a signed checkpoint says the same. What is behind it only fits together; null when that is all of it.
     */
    certified_seq: number | null;
    /**
     * The number of that checkpoint.
     */
    checkpoint: number | null;
    /**
     * How to go on; null at the end of the stream.
     */
    next_cursor: string | null;
};

/**
 * Something in the audit log that is not as it was written.
 */
export type AuditFinding = {
    /**
     * What was found.
     */
    code: ("row_edited" | "row_removed" | "row_inserted" | "rows_swapped" | "rows_rewritten" | "tail_removed" | "row_erased" | "search_edited" | "head_missing" | "version_unknown" | "checkpoint_invalid" | "checkpoint_key_unknown" | "checkpoint_heads_changed" | "checkpoint_removed" | "checkpoint_replaced") | LaterValue;
    /**
     * The same in words.
     */
    message: string;
    /**
     * The stream that it is in.
     */
    stream_id: string | null;
    /**
     * The first place in the stream that is concerned.
     */
    stream_seq: number | null;
    /**
     * The event that stands there, if one does.
     */
    event_id: string | null;
    /**
     * The number of the checkpoint that shows it.
     */
    checkpoint: number | null;
};

/**
 * Which stream to verify, and from where.
 */
export type AuditStreamVerificationRequest = {
    /**
     * The id of the stream: for the stream of a tenant, that of the tenant.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    stream_id: string;
    /**
     * How many rows to verify: 1 to 100000, which is what is done unless told.
     * @minimum 1
     * @maximum 100000
     */
    limit?: number;
    /**
     * The `next_cursor` of the call before, to go on from there.
     * @maxLength 4096
     */
    cursor?: string;
};

/**
 * One page of a list.
 */
export type AuditCheckpointPage = {
    /**
     * What the page holds, in the order of the list.
     */
    data: AuditCheckpoint[];
    /**
     * Whether there is another page.
     */
    has_more: boolean;
    /**
     * Hand this back as `cursor` for the next page; null on the last one.
     */
    next_cursor: string | null;
};

/**
 * Where the streams of the audit log had come to, signed.
 */
export type AuditCheckpoint = {
    /**
     * Its place among the checkpoints: 1, 2, 3 … without gaps.
     * @minimum 1
     * @maximum 9007199254740991
     */
    number: number;
    /**
     * When it was taken, by the database's clock.
     * @format date-time
     */
    taken_at: string;
    /**
     * How many streams had changed since they were last in one.
     * @minimum 1
     * @maximum 5000
     */
    head_count: number;
    /**
     * The Merkle tree hash (RFC 6962, SHA-256) of the heads of these streams, in hexadecimal digits.
     * @pattern ^[0-9a-f]{64}$
     */
    root: string;
    /**
     * The root of the checkpoint before; 64 zeros for the first one.
     * @pattern ^[0-9a-f]{64}$
     */
    previous_root: string;
    /**
     * Which key signed it.
     */
    key_id: string;
    /**
     * The Ed25519 signature, in hexadecimal digits; docs/audit-evidence.md says of what.
     * @pattern ^[0-9a-f]{128}$
     */
    signature: string;
};

/**
 * One page of a list.
 */
export type AuditSigningKeyPage = {
    /**
     * What the page holds, in the order of the list.
     */
    data: AuditSigningKey[];
    /**
     * Whether there is another page.
     */
    has_more: boolean;
    /**
     * Hand this back as `cursor` for the next page; null on the last one.
     */
    next_cursor: string | null;
};

/**
 * A public key that checkpoints are or were signed with.
 */
export type AuditSigningKey = {
    /**
     * The name of the key.
     */
    key_id: string;
    /**
     * The public key: Ed25519, as PEM.
     */
    public_key: string;
    /**
     * When a checkpoint was first signed with it.
     * @format date-time
     */
    first_used_at: string;
};

/**
 * An event of the audit log, as it is exported.
 */
export type ExportedAuditEvent = {
    /**
     * The id of the event.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    id: string;
    /**
     * The tenant whose log it is in; null when it is none, or one that is gone.
     */
    tenant_id: string | null;
    /**
     * The product that recorded it; `tenant-registry` for the registry itself.
     */
    product: string;
    /**
     * Whether it is about real things.
     */
    environment: ("live" | "test") | LaterValue;
    /**
     * What was done.
     */
    action: string;
    /**
     * Whether something was created, read, updated or deleted.
     */
    crud: ("c" | "r" | "u" | "d") | LaterValue;
    /**
     * When it happened: when it was said to have, else when it came in.
     * @format date-time
     */
    canonical_at: string;
    /**
     * When it was said to have happened.
     */
    created_at: string | null;
    /**
     * When it came in.
     * @format date-time
     */
    received_at: string;
    /**
     * For whom it was done, as the product says.
     */
    group: {
        /**
         * Its id.
         */
        id: string | null;
        /**
         * Its name.
         */
        name: string | null;
    };
    /**
     * Who did it.
     */
    actor: {
        /**
         * Its id.
         */
        id: string | null;
        /**
         * Its name.
         */
        name: string | null;
        /**
         * Where to read on.
         */
        href: string | null;
        /**
         * What else is known of it.
         */
        fields: Record<string, string> | null;
    };
    /**
     * What it was done to.
     */
    target: {
        /**
         * Its id.
         */
        id: string | null;
        /**
         * Its name.
         */
        name: string | null;
        /**
         * Where to read on.
         */
        href: string | null;
        /**
         * What kind of thing it is.
         */
        type: string | null;
        /**
         * What else is known of it.
         */
        fields: Record<string, string> | null;
    };
    /**
     * Where the request came from.
     */
    source_ip: string | null;
    /**
     * What happened, for people.
     */
    description: string | null;
    /**
     * The part of the product that recorded it.
     */
    component: string | null;
    /**
     * The version of that part.
     */
    version: string | null;
    /**
     * The id that the product gave it.
     */
    external_id: string | null;
    /**
     * Whether nobody in particular did it.
     */
    is_anonymous: boolean | null;
    /**
     * Whether it failed.
     */
    is_failure: boolean | null;
    /**
     * What belongs to it: for our own events what changed, as `before.…` and `after.…`.
     */
    fields: Record<string, string> | null;
    /**
     * What belongs to its making: the id of the request, and so on.
     */
    metadata: Record<string, string> | null;
    /**
     * Hand this back as `cursor` to go on after this event.
     */
    cursor: string;
};

/**
 * Streams that changed after a place.
 */
export type AuditStreamPage = {
    /**
     * The streams that changed, the one that did last at the end. One may be told of more than once.
     */
    data: AuditStream[];
    /**
     * Whether to ask again at once.
     */
    has_more: boolean;
    /**
     * Hand this back as `cursor`, now or later. It never ends.
     */
    next_cursor: string;
};

/**
 * A stream of the audit log: its events are numbered from 1, in the order of their commits.
 */
export type AuditStream = {
    /**
     * The id of the stream: a tenant's own id, or one of the stream alone.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    stream_id: string;
    /**
     * The tenant whose log it is; null when it is none, or one that is gone.
     */
    tenant_id: string | null;
    /**
     * The place of its last event.
     * @minimum 0
     * @maximum 9007199254740991
     */
    last_seq: number;
    /**
     * When that came in.
     * @format date-time
     */
    last_received_at: string;
};

/**
 * Events of a stream after a place.
 */
export type AuditStreamEventPage = {
    /**
     * The events that came next, in their order. Places that are missing are not yours, or no longer kept.
     */
    data: AuditStreamEvent[];
    /**
     * Whether to ask again at once.
     */
    has_more: boolean;
    /**
     * Where to go on: also behind what is not yours.
     * @minimum 0
     * @maximum 9007199254740991
     */
    next_after: number;
};

/**
 * An event of the audit log, with its place in its stream.
 */
export type AuditStreamEvent = {
    /**
     * The id of the event.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    id: string;
    /**
     * The tenant whose log it is in; null when it is none, or one that is gone.
     */
    tenant_id: string | null;
    /**
     * The product that recorded it; `tenant-registry` for the registry itself.
     */
    product: string;
    /**
     * Whether it is about real things.
     */
    environment: ("live" | "test") | LaterValue;
    /**
     * What was done.
     */
    action: string;
    /**
     * Whether something was created, read, updated or deleted.
     */
    crud: ("c" | "r" | "u" | "d") | LaterValue;
    /**
     * When it happened: when it was said to have, else when it came in.
     * @format date-time
     */
    canonical_at: string;
    /**
     * When it was said to have happened.
     */
    created_at: string | null;
    /**
     * When it came in.
     * @format date-time
     */
    received_at: string;
    /**
     * For whom it was done, as the product says.
     */
    group: {
        /**
         * Its id.
         */
        id: string | null;
        /**
         * Its name.
         */
        name: string | null;
    };
    /**
     * Who did it.
     */
    actor: {
        /**
         * Its id.
         */
        id: string | null;
        /**
         * Its name.
         */
        name: string | null;
        /**
         * Where to read on.
         */
        href: string | null;
        /**
         * What else is known of it.
         */
        fields: Record<string, string> | null;
    };
    /**
     * What it was done to.
     */
    target: {
        /**
         * Its id.
         */
        id: string | null;
        /**
         * Its name.
         */
        name: string | null;
        /**
         * Where to read on.
         */
        href: string | null;
        /**
         * What kind of thing it is.
         */
        type: string | null;
        /**
         * What else is known of it.
         */
        fields: Record<string, string> | null;
    };
    /**
     * Where the request came from.
     */
    source_ip: string | null;
    /**
     * What happened, for people.
     */
    description: string | null;
    /**
     * The part of the product that recorded it.
     */
    component: string | null;
    /**
     * The version of that part.
     */
    version: string | null;
    /**
     * The id that the product gave it.
     */
    external_id: string | null;
    /**
     * Whether nobody in particular did it.
     */
    is_anonymous: boolean | null;
    /**
     * Whether it failed.
     */
    is_failure: boolean | null;
    /**
     * What belongs to it: for our own events what changed, as `before.…` and `after.…`.
     */
    fields: Record<string, string> | null;
    /**
     * What belongs to its making: the id of the request, and so on.
     */
    metadata: Record<string, string> | null;
    /**
     * Its stream.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    stream_id: string;
    /**
     * Its place in the stream.
     * @minimum 0
     * @maximum 9007199254740991
     */
    stream_seq: number;
    /**
     * What the chain of the stream is at this event. In hexadecimal.
     */
    chain_hash: string | null;
};

/**
 * A token that lets look into a tenant's log for a while.
 */
export type AuditViewerToken = {
    /**
     * The id that the log tells of, and that ends it.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    id: string;
    /**
     * The viewer token: 32 hexadecimal digits.
     */
    token: string;
    /**
     * Until when it, and every session made with it, lets look.
     * @format date-time
     */
    expires_at: string;
    /**
     * Where to look, on the server that answers. The token is in the fragment, which no browser sends.
     */
    url: string;
};

/**
 * Whose log is to be looked into.
 */
export type NewAuditViewerToken = {
    /**
     * The tenant, also one that is gone.
     * @pattern ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$
     * @format uuid
     */
    tenant_id: string;
    /**
     * Only what this product recorded; `tenant-registry` for the registry itself. All of them unless told.
     * @minLength 1
     * @maxLength 100
     */
    product?: string;
    /**
     * Only what is about real things, or only what is not. Both unless told.
     */
    environment?: "live" | "test";
};

/**
 * Who makes the request, as the registry sees it.
 */
export type Me = {
    /**
     * What kind of caller you are.
     */
    kind: ("operator" | "tenant-user" | "product" | "api-key" | "product-key" | "unassigned") | LaterValue;
    /**
     * The id under which the log knows you.
     */
    id: string;
    /**
     * Your name, or that of the key.
     */
    name: string;
    /**
     * Your roles on the platform, the strongest first.
     */
    roles: (("platform-owner" | "platform-operator" | "platform-billing" | "platform-support" | "platform-auditor") | LaterValue)[];
    /**
     * The tenants that you are of.
     */
    memberships: Membership[];
    /**
     * The product that you speak for.
     */
    product: string | null;
    /**
     * The key that you came with, if you came with one.
     */
    api_key: MyApiKey | null;
};

/**
 * A tenant that you are of.
 */
export type Membership = {
    /**
     * The id of the tenant.
     */
    tenant_id: string;
    /**
     * Your role there.
     */
    role: ("tenant-admin" | "tenant-viewer") | LaterValue;
};

/**
 * The key that you came with.
 */
export type MyApiKey = {
    /**
     * The id of the key.
     */
    id: string;
    /**
     * Whose key it is.
     */
    tenant_id: string;
    /**
     * The project that it is bound to.
     */
    project_id: string | null;
    /**
     * Its environment.
     */
    environment: string;
    /**
     * Whom it opens.
     */
    audience: string;
    /**
     * What it may be used for.
     */
    scopes: string[];
    /**
     * When it ends.
     */
    expires_at: string | null;
};

/**
 * A value that a later release may add. (The `& {}` keeps the known ones in sight of an editor.)
 */
export type LaterValue = string & {};
