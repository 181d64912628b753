import { z } from 'zod'
import * as apiKeys from './api-keys/api-key.service.ts'
import {
  ApiKeyChanges,
  ApiKeyQuery,
  ApiKeyRevocation,
  ApiKeyRotation,
  ApiKeySearch,
  NewApiKey,
} from './api-keys/api-key.ts'
import { KeyIssuer } from './api-keys/issuer.ts'
import type { Actor } from './audit/actor.ts'
import { oneTransaction, rehearse } from './audit/one-transaction.ts'
import { getEvent, listEvents } from './audit/recorded-event.service.ts'
import { RecordedEventQuery } from './audit/recorded-event.ts'
import type { Db } from './db/handles.ts'
import { evaluateMany, getEntitlements } from './entitlements/entitlement.service.ts'
import { EntitlementQuery } from './entitlements/entitlement.ts'
import { EvaluationItem } from './entitlements/evaluation.ts'
import { RegistryError } from './errors.ts'
import { ApiKeyId, EventId, ProjectId, TenantId } from './id.ts'
import { everyPage } from './page.ts'
import { safeParse } from './parse.ts'
import { type Catalogue, createCatalogue } from './products/catalogue.ts'
import * as products from './products/tenant-product.service.ts'
import { NewTenantProduct, ProductParam, TenantProductChanges } from './products/tenant-product.ts'
import * as projects from './projects/project.service.ts'
import { NewProject, ProjectChanges, ProjectQuery } from './projects/project.ts'
import type { Keyring } from './secrets/keyring.ts'
import { exportTenant } from './tenants/export.service.ts'
import { releaseSlug } from './tenants/held-slug.service.ts'
import { SlugRelease } from './tenants/held-slug.ts'
import * as holds from './tenants/legal-hold.service.ts'
import { NewLegalHold } from './tenants/legal-hold.ts'
import { previewTransition } from './tenants/preview.service.ts'
import { PurgeRequest, requestPurge } from './tenants/purge.service.ts'
import { Slug } from './tenants/slug.ts'
import { type ImportLine, importTenants } from './tenants/tenant-import.ts'
import * as tenants from './tenants/tenant.service.ts'
import { ErpId, ImportedTenant, NewTenant, StripeId, TenantChanges, TenantQuery } from './tenants/tenant.ts'
import { transitionTenant } from './tenants/transition.service.ts'
import { Transition } from './tenants/transition.ts'

/** What a registry is told beside its database and its actor. */
export interface RegistryOptions {
  /** The products that there are: without them, none and no plan is known. */
  readonly catalogue?: Catalogue
  /** The secrets of the servers: without them no API key can be made. */
  readonly keyring?: Keyring
  /** For how many days an archived tenant is kept before it may be purged. 30 unless told. */
  readonly purgeAfterDays?: number
}

/** The verbs of the registry, as somebody. */
export interface Registry extends ReturnType<typeof verbsOf> {
  /** Several verbs in one transaction: all of it is there at the end, or nothing. One after the other, never at once. */
  transaction<Result>(fn: (registry: Registry) => Promise<Result>): Promise<Result>
  /** Does it all and takes it back: a dry run of whatever the verbs can do. */
  rehearse<Result>(fn: (registry: Registry) => Promise<Result>): Promise<Result>
}

/**
 * Binds the verbs of the API to a database and to who acts, for internal scripts: the same rules and the same events,
 * without HTTP. Everything takes what JSON would hold and parses it; what does not fit throws `request.invalid`.
 * @param actor `scriptActor('name-of-the-script')`: the log names it
 * @example
 *   const db = createDb({ connectionString })
 *   const registry = createRegistry(db, scriptActor('freeze-late-payers'), { catalogue: await loadCatalogue(folder) })
 *   const acme = await registry.tenants.getBySlug('acme')
 *   await registry.tenants.transition(acme.id, { to: 'frozen', reason: 'payment_overdue' })
 *   await db.destroy()
 */
export function createRegistry(db: Db, actor: Actor, options: RegistryOptions = {}): Registry {
  const within = (unit: Db) => createRegistry(unit, actor, options)
  return {
    ...verbsOf(db, actor, options),
    transaction: async (fn) => await oneTransaction(db, async (unit) => await fn(within(unit))),
    rehearse: async (fn) => await rehearse(db, async (unit) => await fn(within(unit))),
  }
}

function verbsOf(db: Db, actor: Actor, options: RegistryOptions) {
  const { catalogue = createCatalogue([]), purgeAfterDays } = options
  const { sight } = actor
  const issuer = () => {
    if (options.keyring) return (knownIssuer ??= new KeyIssuer(options.keyring))
    throw new Error('API keys are made with a keyring: createRegistry(db, actor, { keyring })')
  }
  let knownIssuer: KeyIssuer | undefined
  const keyOf = (id: string) => parse(ApiKeyId, id)
  const tenantOf = (id: string) => parse(TenantId, id)
  const productOf = (key: string) => parse(ProductParam, key)
  const at = (expectedVersion: number | undefined) => ({ expectedVersion, purgeAfterDays })

  return {
    tenants: {
      create: async (input: z.input<typeof NewTenant>) =>
        await tenants.createTenant(db, actor, catalogue, parse(NewTenant, input)),
      get: async (id: string) => await tenants.getTenant(db, sight, tenantOf(id)),
      getBySlug: async (slug: string) => await tenants.getTenantBySlug(db, sight, parse(Slug, slug)),
      getByErpId: async (erpId: string) => await tenants.getTenantByErpId(db, sight, parse(ErpId, erpId)),
      getByStripeId: async (stripeId: string) =>
        await tenants.getTenantByStripeId(db, sight, parse(StripeId, stripeId)),
      /** One page. */
      listPage: async (query: z.input<typeof TenantQuery> = {}) =>
        await tenants.listTenants(db, sight, parse(TenantQuery, query)),
      /** All of them, a page at a time behind the scenes. */
      list: (query: z.input<typeof TenantQuery> = {}) =>
        everyPage(async (cursor) => await tenants.listTenants(db, sight, parse(TenantQuery, { ...query, cursor }))),
      update: async (id: string, changes: z.input<typeof TenantChanges>, expectedVersion?: number) =>
        await tenants.updateTenant(db, actor, catalogue, tenantOf(id), parse(TenantChanges, changes), expectedVersion),
      transition: async (id: string, step: z.input<typeof Transition>, expectedVersion?: number) =>
        await transitionTenant(db, actor, catalogue, tenantOf(id), parse(Transition, step), at(expectedVersion)),
      /** What would follow from a transition. */
      preview: async (id: string, step: z.input<typeof Transition>) =>
        await previewTransition(db, actor, catalogue, tenantOf(id), parse(Transition, step), at(undefined)),
      purge: async (id: string, request: z.input<typeof PurgeRequest>, expectedVersion?: number) =>
        await requestPurge(db, actor, tenantOf(id), parse(PurgeRequest, request), at(expectedVersion)),
      /** Creates one for each row, as a whole or not at all, and answers what became of each. */
      import: async (rows: readonly z.input<typeof ImportedTenant>[], { dryRun = false } = {}) =>
        await importTenants(db, actor, catalogue, rows.map(lineOf), { dryRun }),
      export: async (id: string) => await exportTenant(db, sight, catalogue, tenantOf(id)),
    },
    legalHolds: {
      get: async (tenantId: string) => await holds.getLegalHold(db, sight, tenantOf(tenantId)),
      place: async (tenantId: string, hold: z.input<typeof NewLegalHold>) =>
        await holds.placeLegalHold(db, actor, tenantOf(tenantId), parse(NewLegalHold, hold)),
      lift: async (tenantId: string) => await holds.liftLegalHold(db, actor, tenantOf(tenantId)),
    },
    slugs: {
      release: async (slug: string, release: z.input<typeof SlugRelease>) =>
        await releaseSlug(db, actor, parse(Slug, slug), parse(SlugRelease, release)),
    },
    projects: {
      create: async (tenantId: string, input: z.input<typeof NewProject>) =>
        await projects.createProject(db, actor, catalogue, tenantOf(tenantId), parse(NewProject, input)),
      get: async (tenantId: string, id: string) =>
        await projects.getProject(db, sight, tenantOf(tenantId), parse(ProjectId, id)),
      list: (tenantId: string, query: z.input<typeof ProjectQuery> = {}) =>
        everyPage(
          async (cursor) =>
            await projects.listProjects(db, sight, tenantOf(tenantId), parse(ProjectQuery, { ...query, cursor })),
        ),
      update: async (tenantId: string, id: string, changes: z.input<typeof ProjectChanges>, version?: number) =>
        await projects.updateProject(
          db,
          actor,
          tenantOf(tenantId),
          parse(ProjectId, id),
          parse(ProjectChanges, changes),
          version,
        ),
      archive: async (tenantId: string, id: string, version?: number) =>
        await projects.archiveProject(db, actor, tenantOf(tenantId), parse(ProjectId, id), version),
      restore: async (tenantId: string, id: string, version?: number) =>
        await projects.restoreProject(db, actor, catalogue, tenantOf(tenantId), parse(ProjectId, id), version),
    },
    products: {
      list: async (tenantId: string) => (await products.listTenantProducts(db, sight, tenantOf(tenantId))).data,
      get: async (tenantId: string, product: string) =>
        await products.getTenantProduct(db, sight, tenantOf(tenantId), productOf(product)),
      put: async (tenantId: string, product: string, input: z.input<typeof NewTenantProduct> = {}, version?: number) =>
        await products.putTenantProduct(
          db,
          actor,
          catalogue,
          tenantOf(tenantId),
          productOf(product),
          parse(NewTenantProduct, input),
          version,
        ),
      update: async (
        tenantId: string,
        product: string,
        changes: z.input<typeof TenantProductChanges>,
        version?: number,
      ) =>
        await products.updateTenantProduct(
          db,
          actor,
          catalogue,
          tenantOf(tenantId),
          productOf(product),
          parse(TenantProductChanges, changes),
          version,
        ),
      remove: async (tenantId: string, product: string, version?: number) =>
        await products.removeTenantProduct(db, actor, catalogue, tenantOf(tenantId), productOf(product), version),
    },
    /** Needs a keyring, where keys are made. What is revoked here, servers hear of. */
    apiKeys: {
      issue: async (tenantId: string, input: z.input<typeof NewApiKey>) => {
        const parsed = parse(NewApiKey, input)
        const minted = await issuer().mint(parsed.environment ?? 'live')
        return await apiKeys.issueApiKey(db, actor, catalogue, issuer(), minted, tenantOf(tenantId), parsed)
      },
      get: async (tenantId: string, id: string) => await apiKeys.getApiKey(db, actor, tenantOf(tenantId), keyOf(id)),
      list: (tenantId: string, query: z.input<typeof ApiKeyQuery> = {}) =>
        everyPage(
          async (cursor) =>
            await apiKeys.listApiKeys(db, actor, tenantOf(tenantId), parse(ApiKeyQuery, { ...query, cursor })),
        ),
      find: async (prefix: string) =>
        (await apiKeys.findApiKeys(db, sight, parse(ApiKeySearch, { prefix }).prefix)).data[0],
      update: async (tenantId: string, id: string, changes: z.input<typeof ApiKeyChanges>, version?: number) =>
        await apiKeys.updateApiKey(
          db,
          actor,
          catalogue,
          tenantOf(tenantId),
          keyOf(id),
          parse(ApiKeyChanges, changes),
          version,
        ),
      rotate: async (tenantId: string, id: string, rotation: z.input<typeof ApiKeyRotation> = {}, version?: number) => {
        const [tenant, key] = [tenantOf(tenantId), keyOf(id)]
        const minted = await issuer().mint(await apiKeys.environmentOf(db, tenant, key))
        const how = parse(ApiKeyRotation, rotation)
        return await apiKeys.rotateApiKey(db, actor, issuer(), minted, tenant, key, how, version)
      },
      revoke: async (tenantId: string, id: string, why: z.input<typeof ApiKeyRevocation>, version?: number) =>
        await apiKeys.revokeApiKey(db, actor, tenantOf(tenantId), keyOf(id), parse(ApiKeyRevocation, why), version),
      revokeAll: async (tenantId: string, why: z.input<typeof ApiKeyRevocation>) =>
        await apiKeys.revokeAllApiKeys(db, actor, tenantOf(tenantId), parse(ApiKeyRevocation, why)),
    },
    entitlements: {
      get: async (tenantId: string, query: z.input<typeof EntitlementQuery> = {}) =>
        await getEntitlements(db, sight, catalogue, tenantOf(tenantId), parse(EntitlementQuery, query)),
      /** Those of many tenants, by what is known at one moment. */
      evaluate: async (items: readonly z.input<typeof EvaluationItem>[]) =>
        (await evaluateMany(db, sight, catalogue, parse(z.array(EvaluationItem), items))).data,
    },
    audit: {
      get: async (id: string) => await getEvent(db, sight, parse(EventId, id)),
      /** All of them, newest first, a page at a time behind the scenes. */
      list: (query: z.input<typeof RecordedEventQuery> = {}) =>
        everyPage(async (cursor) => await listEvents(db, sight, parse(RecordedEventQuery, { ...query, cursor }))),
    },
  }
}

function lineOf(row: unknown, index: number): ImportLine {
  const line = index + 1
  try {
    return { line, row: parse(ImportedTenant, row) }
  } catch (error) {
    if (error instanceof RegistryError) return { line, error }
    throw error
  }
}

function parse<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const parsed = safeParse(schema, input)
  if (parsed.success) return parsed.data
  const violations = parsed.error.issues.map(({ path, code, message }) => ({
    pointer: path.map((key) => `/${String(key)}`).join(''),
    code,
    message,
  }))
  const [first] = violations
  const detail = first && `${first.pointer === '' ? '' : `${first.pointer} `}${first.message}`
  throw new RegistryError('request.invalid', { violations, ...(detail !== undefined && { detail }) })
}
