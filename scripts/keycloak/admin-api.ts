/** What Keycloak's admin API answers with, as far as it is looked at. */
export interface Thing {
  readonly id: string
  readonly name?: string
  readonly alias?: string
  readonly value?: string
}

/** A few requests to a realm, by an administrator of the whole Keycloak. */
export interface AdminApi {
  list(path: string): Promise<readonly Thing[]>
  get(path: string): Promise<Thing>
  /** The id of what was made. */
  post(path: string, body: unknown): Promise<string>
  put(path: string): Promise<void>
  delete(path: string): Promise<void>
}

/** Where a Keycloak is, and who may do everything there. */
export interface KeycloakAccess {
  readonly url: string
  readonly username: string
  readonly password: string
}

/** Asks a realm for an access token, as a client does. */
export async function accessToken(url: string, realm: string, form: Readonly<Record<string, string>>): Promise<string> {
  const body = new URLSearchParams(form)
  const response = await fetch(`${url}/realms/${realm}/protocol/openid-connect/token`, { method: 'POST', body })
  const answer = (await response.json()) as { access_token?: string; error_description?: string }
  if (answer.access_token !== undefined) return answer.access_token
  throw new Error(`Keycloak gives no token of realm ${realm}: ${response.status} ${answer.error_description ?? ''}`)
}

/** Opens the admin API. Paths begin behind `/admin/realms`. */
export function openAdminApi({ url, username, password }: KeycloakAccess): AdminApi {
  async function send(method: string, path: string, body?: unknown): Promise<Response> {
    // Anew each time: an administrator's token is good for a minute.
    const login = { grant_type: 'password', client_id: 'admin-cli', username, password }
    const response = await fetch(`${url}/admin/realms${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await accessToken(url, 'master', login)}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    if (response.ok) return response
    throw new Error(`Keycloak answers ${method} ${path} with ${response.status}: ${await response.text()}`)
  }

  return {
    list: async (path) => (await (await send('GET', path)).json()) as readonly Thing[],
    get: async (path) => (await (await send('GET', path)).json()) as Thing,
    post: async (path, body) => {
      const response = await send('POST', path, body)
      return response.headers.get('location')?.split('/').at(-1) ?? ''
    },
    put: async (path) => void (await send('PUT', path)),
    delete: async (path) => void (await send('DELETE', path)),
  }
}
