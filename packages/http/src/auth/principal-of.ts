import { platformTenant, TenantId } from '@breakpilot/tenant-core'
import { platformRoles, type Principal, tenantRoles, type TenantRole } from './principal.ts'
import type { AccessToken } from './token-claims.ts'

/** The client of ours in the identity provider, whose roles are read. */
const ownClient = 'tenant-registry'

/** What a client of the identity provider has to have to speak for its product. */
const productRole = 'product-service'

/** How many entries of a claim are looked at: more than anybody has, and a bound for what a token may cost. */
const entriesMax = 1_000

/**
 * Says who the bearer of a verified token is. Whatever a claim holds that is not what it should be gives nothing.
 * Whoever runs the platform is an operator and nothing besides, member of a tenant or not.
 * @param productOfClient the key of the product whose client in the identity provider this is
 */
export function principalOf(
  { subject, name, claims }: AccessToken,
  productOfClient: (clientId: string) => string | undefined,
): Principal {
  const actor = { id: subject, name }
  const clientRoles = rolesOf(claims['resource_access'])
  const roles = platformRoles.filter((role) => clientRoles.has(role))
  if (roles.length > 0) return { kind: 'operator', roles, actor }

  const product = clientRoles.has(productRole) ? productFor(claims, productOfClient) : undefined
  if (product !== undefined) return { kind: 'product', product, actor }

  const memberships = new Map<TenantId, TenantRole>()
  for (const { tenantId, role } of [...organizations(claims['organization']), ...fallBack(claims['registry_roles'])]) {
    const id = TenantId.safeParse(tenantId)
    if (!id.success || id.data === platformTenant) continue
    if (memberships.get(id.data) !== 'tenant-admin') memberships.set(id.data, role)
  }
  return memberships.size > 0 ? { kind: 'tenant-user', memberships, actor } : { kind: 'unassigned', actor }
}

/**
 * The product whose client got the token for itself. A token with a session (`sid`) is that of a person who signed in
 * there: one who was given the role by mistake does not become the product.
 */
function productFor(
  { azp, sid }: AccessToken['claims'],
  productOfClient: (clientId: string) => string | undefined,
): string | undefined {
  return typeof azp === 'string' && sid === undefined ? productOfClient(azp) : undefined
}

/** The roles of our own client: those of the realm and of other clients mean nothing here. */
function rolesOf(resourceAccess: unknown): ReadonlySet<string> {
  return new Set(strings(property(property(resourceAccess, ownClient), 'roles')))
}

interface Membership {
  readonly tenantId: string
  readonly role: TenantRole
}

/**
 * The memberships of the `organization` claim, which is a map from alias to entry, or a list of entries or of such
 * maps. A bare alias says neither which tenant it is nor what its bearer may do there, so it gives nothing.
 */
function organizations(claim: unknown): Membership[] {
  const entries = Array.isArray(claim)
    ? claim.slice(0, entriesMax).flatMap((each: unknown) => (idOf(each) === undefined ? values(each) : [each]))
    : values(claim)
  return entries.slice(0, entriesMax).flatMap((entry) => {
    const tenantId = idOf(entry)
    const groups = new Set(strings(property(entry, 'groups')))
    const role = tenantRoles.find((each) => groups.has(`/${each}`))
    return tenantId !== undefined && role !== undefined ? [{ tenantId, role }] : []
  })
}

/** The attribute of an entry that says which tenant it is: one value, as text or as the only one of a list. */
function idOf(entry: unknown): string | undefined {
  const attribute = property(entry, 'tenant_id')
  const id: unknown = Array.isArray(attribute) && attribute.length === 1 ? attribute[0] : attribute
  return typeof id === 'string' ? id : undefined
}

/** `["<tenant id>:tenant-admin"]`, for providers whose organizations cannot carry groups. */
function fallBack(claim: unknown): Membership[] {
  return strings(typeof claim === 'string' ? [claim] : claim).flatMap((entry) => {
    const at = entry.indexOf(':')
    const role = tenantRoles.find((each) => each === entry.slice(at + 1))
    return at > 0 && role !== undefined ? [{ tenantId: entry.slice(0, at), role }] : []
  })
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined
}

function values(value: unknown): unknown[] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.values(value) : []
}

/** The texts of a list. */
function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.slice(0, entriesMax).filter((each) => typeof each === 'string') : []
}
