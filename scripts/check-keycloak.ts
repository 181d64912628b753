/**
 * `pnpm check:keycloak`: imports the realm that ships (docs/keycloak/realm.json) into a real Keycloak, under a name of
 * its own, signs in as everybody there can be, and shows whom the registry takes them for. Leaves nothing behind.
 * KEYCLOAK_URL, KEYCLOAK_ADMIN and KEYCLOAK_ADMIN_PASSWORD say where and as whom.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { env, exit } from 'node:process'
import { loadCatalogue } from '@breakpilot/tenant-core'
import { createAuthenticator, type Principal } from '../packages/http/src/auth/index.ts'
import { accessToken } from './keycloak/admin-api.ts'
import { type CheckRealm, importRealm } from './keycloak/check-realm.ts'

const root = join(import.meta.dirname, '..')
const acme = '00000000-0000-0000-0000-000000000001'
const globex = '00000000-0000-0000-0000-000000000002'

try {
  exit((await check()) ? 0 : 1)
} catch (error) {
  console.error(`check-keycloak: ${error instanceof Error ? error.message : String(error)}`)
  exit(1)
}

/** Who asks for a token and how, and whom the registry has to take them for. */
type Expectation = readonly [what: string, form: Record<string, string>, expected: string]

async function check(): Promise<boolean> {
  const url = setting('KEYCLOAK_URL').replace(/\/+$/, '')
  const access = { url, username: setting('KEYCLOAK_ADMIN'), password: setting('KEYCLOAK_ADMIN_PASSWORD') }
  const shipped = JSON.parse(readFileSync(join(root, 'docs/keycloak/realm.json'), 'utf8')) as Record<string, unknown>
  const realm = await importRealm(access, shipped)
  try {
    const authorityOf = await judge(`${url}/realms/${realm.name}`)
    let good = true
    for (const [what, form, expected] of await expectations(realm)) {
      const found = await authorityOf(await accessToken(url, realm.name, form))
      console.log(`${found === expected ? 'ok     ' : 'WRONG  '} ${what}: ${found}`)
      if (found !== expected) console.log(`        expected: ${expected}`)
      good &&= found === expected
    }
    return good
  } finally {
    await realm.remove()
  }
}

async function expectations(realm: CheckRealm): Promise<readonly Expectation[]> {
  await realm.addPerson('owner', ['platform-owner'])
  await realm.addPerson('desk', ['platform-billing', 'platform-support'], { acme: 'tenant-admin' })
  await realm.addPerson('member', [], { acme: 'tenant-viewer', globex: 'tenant-admin' })
  await realm.addPerson('guest', [], { acme: null })
  await realm.addPerson('impostor', ['product-service'])
  const everywhere = 'openid organization:*'
  return [
    ['a platform owner', realm.person('owner', 'openid'), 'platform-owner'],
    ['billing and support, and a member', realm.person('desk', everywhere), 'platform-billing, platform-support'],
    ['a member of two', realm.person('member', everywhere), `${acme} tenant-viewer, ${globex} tenant-admin`],
    ['the same, of one', realm.person('member', 'openid organization:globex'), `${globex} tenant-admin`],
    ['the same, without the scope', realm.person('member', 'openid'), 'nobody'],
    ['a member without a group', realm.person('guest', everywhere), 'nobody'],
    ['a person with the role of products', realm.person('impostor', everywhere), 'nobody'],
    ['CertifAI', await realm.product('certifai'), 'product certifai'],
    ['Compliance Monitor', await realm.product('compliance'), 'product compliance'],
  ]
}

async function judge(issuer: string): Promise<(token: string) => Promise<string>> {
  const { products } = await loadCatalogue(join(root, 'apps/server/products'))
  const productOfClient = (id: string) => [...products.values()].find(({ client_id }) => client_id === id)?.key
  const authenticate = createAuthenticator({ mode: 'oidc', issuer, audience: 'tenant-registry', productOfClient })
  return async (token) => {
    const rawHeaders = ['Authorization', `Bearer ${token}`]
    return authorityOf(await authenticate({ socket: { remoteAddress: '127.0.0.1' }, rawHeaders }))
  }
}

function authorityOf(principal: Principal): string {
  if (principal.kind === 'operator') return principal.roles.join(', ')
  if (principal.kind === 'product') return `product ${principal.product}`
  if (principal.kind !== 'tenant-user') return 'nobody'
  return [...principal.memberships]
    .map((each) => each.join(' '))
    .toSorted()
    .join(', ')
}

function setting(name: string): string {
  const value = env[name]
  if (!value) throw new Error(`${name} has to be set`)
  return value
}
