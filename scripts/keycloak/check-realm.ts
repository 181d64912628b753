import { randomBytes } from 'node:crypto'
import { type AdminApi, type KeycloakAccess, openAdminApi, type Thing } from './admin-api.ts'

type Representation = Readonly<Record<string, unknown>>

/** The roles of somebody in the organizations of a realm, by alias; null for a member without any. */
type Memberships = Readonly<Record<string, string | null>>

/** The realm that ships, imported under a name of its own. */
export interface CheckRealm {
  readonly name: string
  /** Makes a person with roles of the platform, and of organizations. */
  addPerson(username: string, roles: readonly string[], memberships?: Memberships): Promise<void>
  /** What a token for this person is asked for with. */
  person(username: string, scope: string): Record<string, string>
  /** What a product asks for its token with. */
  product(clientId: string): Promise<Record<string, string>>
  remove(): Promise<void>
}

/**
 * Imports the realm and gives it what it ships without: people, a second organization, and a client at which they can
 * sign in without a browser. That one is the command line's in everything else.
 */
export async function importRealm(access: KeycloakAccess, shipped: Representation): Promise<CheckRealm> {
  const api = openAdminApi(access)
  const name = `${String(shipped['realm'])}-check-${randomBytes(4).toString('hex')}`
  const password = randomBytes(16).toString('hex')
  await api.post('', { ...shipped, realm: name })
  const remove = () => api.delete(`/${name}`)
  try {
    const registry = await clientId(api, name, 'tenant-registry')
    await addSignIn(api, name, registry)
    await addOrganization(api, name, 'globex', '00000000-0000-0000-0000-000000000002')
    return {
      name,
      remove,
      person: (username, scope) => ({ grant_type: 'password', client_id: signIn, username, password, scope }),
      async product(id) {
        const secret = await api.get(`/${name}/clients/${await clientId(api, name, id)}/client-secret`)
        return { grant_type: 'client_credentials', client_id: id, client_secret: secret.value ?? '' }
      },
      async addPerson(username, roles, memberships = {}) {
        const credentials = [{ type: 'password', value: password, temporary: false }]
        const about = { firstName: username, lastName: 'Check', email: `${username}@example.com`, emailVerified: true }
        const person = await api.post(`/${name}/users`, { username, enabled: true, ...about, credentials })
        const known = await api.list(`/${name}/clients/${registry}/roles`)
        const given = known.filter((role) => roles.includes(role.name ?? ''))
        if (given.length > 0) await api.post(`/${name}/users/${person}/role-mappings/clients/${registry}`, given)
        for (const [alias, group] of Object.entries(memberships)) await join(api, name, person, alias, group)
      },
    }
  } catch (error) {
    await remove()
    throw error
  }
}

const signIn = 'registry-check'

async function clientId(api: AdminApi, realm: string, name: string): Promise<string> {
  return only(await api.list(`/${realm}/clients?clientId=${name}`), `client ${name}`).id
}

async function addSignIn(api: AdminApi, realm: string, registry: string): Promise<void> {
  const { id, ...shipped } = only(await api.list(`/${realm}/clients?clientId=registry-cli`), 'client registry-cli')
  const changes = { clientId: signIn, standardFlowEnabled: false, directAccessGrantsEnabled: true }
  const made = await api.post(`/${realm}/clients`, { ...shipped, ...changes })
  const scope = `scope-mappings/clients/${registry}`
  await api.post(`/${realm}/clients/${made}/${scope}`, await api.list(`/${realm}/clients/${id}/${scope}`))
}

async function addOrganization(api: AdminApi, realm: string, alias: string, tenantId: string): Promise<void> {
  const domains = [{ name: `${alias}.example`, verified: false }]
  const organization = { name: alias, alias, enabled: true, domains, attributes: { tenant_id: [tenantId] } }
  const id = await api.post(`/${realm}/organizations`, organization)
  for (const name of ['tenant-admin', 'tenant-viewer']) {
    await api.post(`/${realm}/organizations/${id}/groups`, { name })
  }
}

async function join(api: AdminApi, realm: string, person: string, alias: string, group: string | null): Promise<void> {
  const organizations = `/${realm}/organizations`
  const known = await api.list(organizations)
  const { id } = only(
    known.filter((organization) => organization.alias === alias),
    `organization ${alias}`,
  )
  // The body is the bare id, in whatever form.
  await api.post(`${organizations}/${id}/members`, person)
  if (group === null) return
  const groups = await api.list(`${organizations}/${id}/groups`)
  const found = only(
    groups.filter(({ name }) => name === group),
    `group ${group}`,
  )
  await api.put(`${organizations}/${id}/groups/${found.id}/members/${person}`)
}

function only(things: readonly Thing[], what: string): Thing {
  const [thing] = things
  if (thing === undefined || things.length > 1) throw new Error(`there are ${things.length} of ${what}, not 1`)
  return thing
}
