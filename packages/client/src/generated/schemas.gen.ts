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
     * The name of the tenant, for people.
     * @minLength 1
     * @maxLength 200
     */
    name: string;
    /**
     * Where the tenant is in its life. `trial` unless you choose; `active` needs a plan.
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
     * Where the tenant is in its life.
     */
    status: ("demo" | "trial" | "active" | "frozen" | "archived") | LaterValue;
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
 * A value that a later release may add. (The `& {}` keeps the known ones in sight of an editor.)
 */
export type LaterValue = string & {};
