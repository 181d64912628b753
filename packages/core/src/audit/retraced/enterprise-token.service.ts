import * as keys from '../../api-keys/api-key.repository.ts'
import type { KeyIssuer, MintedKey } from '../../api-keys/issuer.ts'
import { enterpriseTokenScope } from '../../api-keys/scope.ts'
import { prefixShape, tokenIn } from '../../api-keys/token.ts'
import type { AuditedTx, Db, Reader } from '../../db/handles.ts'
import { RegistryError } from '../../errors.ts'
import { ApiKeyId, newApiKeyId, platformTenant, TenantId } from '../../id.ts'
import type { Catalogue } from '../../products/catalogue.ts'
import { type Keyring, KeyringError, type Sealed } from '../../secrets/keyring.ts'
import { lockPlatformTenant } from '../../tenants/tenant.repository.ts'
import type { Actor } from '../actor.ts'
import type { Change, NewAuditEvent } from '../audit-event.ts'
import { audited, changed, changedAndTold, unchanged } from '../audited.ts'
import { fillIn } from '../entities.ts'
import { idOfBare } from './bare-id.ts'
import * as tokens from './enterprise-token.repository.ts'
import type { EnterpriseToken, StoredToken } from './enterprise-token.repository.ts'
import { tenantOfGroup } from './group-state.ts'
import { type GroupScope, resolveGroup, streamOfScope } from './scope.ts'

export type { EnterpriseToken } from './enterprise-token.repository.ts'

/** How many tokens one group may have. */
const enterpriseTokensMax = 100

/** How tokens are kept: sealed, so that who made one can read it again, or shown once. */
export interface TokenKeeping {
  readonly keyring: Keyring
  readonly mode: 'readable' | 'once'
}

/** A token, and the secret where it can be shown. */
export interface ShownToken extends EnterpriseToken {
  /** The whole token; its public part where it was shown once. */
  readonly token: string
}

/** What the product's own log says of what was done to a token, beside what the registry's says. */
type Tell = (token: EnterpriseToken) => NewAuditEvent

/**
 * Makes a token that reads one group's log: an API key of the platform's own, which opens nothing but that.
 * @param minted by `issuer`, before any transaction: hashing is slow
 * @param tell what the product's own log says of it
 * @throws {RegistryError} `enterprise_token.too_many`, `secrets.kid_unfit`
 */
export async function issueEnterpriseToken(
  db: Db,
  actor: Actor,
  issuer: KeyIssuer,
  keeping: TokenKeeping,
  minted: MintedKey,
  input: Pick<EnterpriseToken, 'scope' | 'display_name' | 'view_log_action'>,
  tell?: Tell,
): Promise<ShownToken> {
  return await audited(db, actor, async (tx) => {
    // Whoever ends all keys of the platform's own takes the same lock, and so does who counts.
    await lockPlatformTenant(tx)
    const { length } = await tokens.listTokens(tx, input.scope)
    if (length >= enterpriseTokensMax) {
      throw new RegistryError('enterprise_token.too_many', { detail: `At most ${enterpriseTokensMax}.` })
    }
    await issuer.remember(tx, minted)
    const id = newApiKeyId()
    await keys.insertApiKey(tx, {
      id,
      family_id: id,
      tenant_id: platformTenant as TenantId,
      project_id: null,
      name: input.display_name,
      prefix: minted.prefix,
      hash: minted.hash,
      issuer_kid: minted.kid,
      environment: minted.environment,
      audience: input.scope.product,
      scopes: [enterpriseTokenScope],
      enabled: true,
      expires_at: null,
      ip_allow: [],
      metadata: {},
      created_by: actor.id,
    })
    const token = { id, ...input, prefix: minted.prefix }
    await tokens.insertToken(tx, { ...token, sealed: seal(keeping, token, minted.text) })
    const change = await changeOf(tx, 'enterprise_token.issued', undefined, token)
    return changedAndTold({ ...token, token: minted.text }, await told(tx, tell, token), change)
  })
}

/** What seals a token belongs to its row: it opens as no other's. */
const contextOf = ({ id, scope }: Pick<EnterpriseToken, 'id' | 'scope'>) =>
  JSON.stringify([id, scope.product, scope.environment, scope.group.id])

function seal({ keyring, mode }: TokenKeeping, token: Pick<EnterpriseToken, 'id' | 'scope'>, text: string) {
  if (mode === 'once') return undefined
  return keyring.seal('enterprise-token', Buffer.from(text), { context: contextOf(token) })
}

/** The tokens of a group, without their secrets. */
export async function listEnterpriseTokens(db: Reader, scope: GroupScope): Promise<EnterpriseToken[]> {
  return (await tokens.listTokens(db, scope)).map(withoutSecret)
}

/**
 * The tokens of a group with their secrets, or the one that is named. That each of them was opened is recorded, before
 * anybody sees it.
 * @param ref the token, its public part or its id
 * @throws {RegistryError} `enterprise_token.not_found` for one that is not there
 */
export async function revealEnterpriseTokens(
  db: Db,
  actor: Actor,
  keeping: TokenKeeping,
  scope: GroupScope,
  ref?: string,
): Promise<ShownToken[]> {
  return await audited(db, actor, async (tx) => {
    const stored = ref === undefined ? await tokens.listTokens(tx, scope) : [await getToken(tx, scope, ref)]
    const shown = stored.map((each) => reveal(keeping, each))
    const opened = stored.filter((each, at) => shown[at]?.token !== each.prefix)
    const changes: Change[] = []
    for (const each of opened) changes.push(await changeOf(tx, 'enterprise_token.revealed', undefined, each, 'r'))
    const last = changes.pop()
    return last ? changed(shown, ...changes, last) : unchanged(shown)
  })
}

function reveal({ keyring, mode }: TokenKeeping, stored: StoredToken): ShownToken {
  const token = withoutSecret(stored)
  const text = mode === 'readable' && stored.sealed ? open(keyring, token, stored.sealed) : undefined
  return { ...token, token: text ?? token.prefix }
}

/** Where the key of the ring is gone, what it sealed is too: the token goes on, and is shown by its public part. */
function open(keyring: Keyring, token: EnterpriseToken, sealed: Sealed): string | undefined {
  try {
    return keyring.open('enterprise-token', sealed, { context: contextOf(token) }).toString()
  } catch (error) {
    if (error instanceof KeyringError) return undefined
    throw error
  }
}

/**
 * Gives a token another name, and its looks another action where one is said.
 * @throws {RegistryError} `enterprise_token.not_found`
 */
export async function renameEnterpriseToken(
  db: Db,
  actor: Actor,
  scope: GroupScope,
  ref: string,
  names: Pick<EnterpriseToken, 'display_name'> & Partial<Pick<EnterpriseToken, 'view_log_action'>>,
  tell?: Tell,
): Promise<EnterpriseToken> {
  return await audited(db, actor, async (tx) => {
    const stored = withoutSecret(await getToken(tx, scope, ref))
    const token = { ...stored, ...names }
    await tokens.renameToken(tx, token)
    const change = await changeOf(tx, 'enterprise_token.renamed', stored, token)
    return changedAndTold(token, await told(tx, tell, token), change)
  })
}

/**
 * Ends a token for good.
 * @throws {RegistryError} `enterprise_token.not_found`
 */
export async function revokeEnterpriseToken(
  db: Db,
  actor: Actor,
  scope: GroupScope,
  ref: string,
  tell?: Tell,
): Promise<void> {
  await audited(db, actor, async (tx) => {
    const token = withoutSecret(await getToken(tx, scope, ref))
    await keys.updateApiKey(
      tx,
      { tenant_id: platformTenant as TenantId, id: token.id },
      { revoked_at: new Date(), revoked_reason: 'deleted', revoked_by: actor.id },
    )
    await tokens.deleteToken(tx, token.id)
    const change = await changeOf(tx, 'enterprise_token.revoked', token, undefined)
    return changedAndTold(undefined, await told(tx, tell, token), change)
  })
}

/**
 * What a key that was proven is a token for; undefined for any other key. A token that was made for a text goes on when
 * this becomes a tenant's, that is when the tenant gets the product: it sees both logs. A name that somebody took after
 * the token was made may be another one's, and changes nothing.
 */
export async function findEnterpriseToken(
  db: Reader,
  catalogue: Catalogue,
  id: ApiKeyId,
): Promise<EnterpriseToken | undefined> {
  const stored = await tokens.findToken(db, id)
  if (!stored) return undefined
  const token = withoutSecret(stored)
  const { scope } = token
  if (scope.group.tenant_id !== null) return token
  const now = await resolveGroup(db, catalogue, { product: scope.product, id: scope.group.id })
  if (now.tenant_id === null) return token
  const isSame = TenantId.safeParse(now.id).success || (await tokens.wasNameOf(db, id, now.tenant_id))
  return isSame ? { ...token, scope: { ...scope, group: { ...now, text_log: streamOfScope(scope) } } } : token
}

async function getToken(tx: AuditedTx, scope: GroupScope, ref: string): Promise<StoredToken> {
  const all = await tokens.listTokens(tx, scope)
  const prefix = tokenIn(ref)?.prefix ?? (prefixShape.test(ref) ? ref : undefined)
  const id = ApiKeyId.safeParse(idOfBare(ref) ?? ref).data
  const found = all.find((each) => each.id === id || each.prefix === prefix)
  if (!found) throw new RegistryError('enterprise_token.not_found')
  return found
}

const withoutSecret = ({ sealed: _, ...token }: StoredToken): EnterpriseToken => token

const told = async (tx: AuditedTx, tell: Tell | undefined, token: EnterpriseToken) =>
  tell ? await fillIn(tx, [tell(token)]) : []

async function changeOf(
  tx: AuditedTx,
  action: `enterprise_token.${string}`,
  before: EnterpriseToken | undefined,
  after: EnterpriseToken | undefined,
  crud: Change['crud'] = before ? (after ? 'u' : 'd') : 'c',
): Promise<Change> {
  const token = (after ?? before) as EnterpriseToken
  return {
    action,
    crud,
    tenant: await tenantOfGroup(tx, token.scope.group),
    target: { id: token.id, type: 'enterprise_token', name: token.display_name },
    ...(before && { before: recorded(before) }),
    ...(after && { after: recorded(after) }),
  }
}

const recorded = ({ scope, display_name, view_log_action, prefix }: EnterpriseToken) => ({
  product: scope.product,
  environment: scope.environment,
  group_id: scope.group.id,
  display_name,
  view_log_action,
  prefix,
})
