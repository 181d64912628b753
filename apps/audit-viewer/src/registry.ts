/** What the registry's API is asked for by somebody of the platform. */

/** Somebody of the platform: whose access token it is the registry finds out. Without one where it asks for none. */
export interface Staff {
  readonly accessToken: string
}

export interface Tenant {
  readonly id: string
  readonly name: string
}

/** What of a tenant's log is looked at. */
export interface Look {
  readonly tenant_id: string
  /** One product's events, or those of all. */
  readonly product: string | undefined
  readonly environment: 'live' | 'test'
}

/** By its id or its slug. */
export async function findTenant(staff: Staff, ref: string): Promise<Tenant> {
  const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(ref)
  return await ask<Tenant>(staff, `/v1/tenants/${isId ? '' : 'by-slug/'}${encodeURIComponent(ref)}`)
}

/** The keys of the products that there are. */
export async function listProducts(staff: Staff): Promise<string[]> {
  const { data } = await ask<{ readonly data: readonly { readonly key: string }[] }>(staff, '/v1/products')
  return data.map(({ key }) => key)
}

/** Makes a viewer token, which is recorded. */
export async function issueViewerToken(staff: Staff, look: Look): Promise<string> {
  return (await ask<{ readonly token: string }>(staff, '/v1/audit/viewer-tokens', look)).token
}

/** @throws {Error} with what to tell whoever asked */
async function ask<Answer>({ accessToken }: Staff, path: string, body?: object): Promise<Answer> {
  const response = await fetch(path, {
    method: body ? 'POST' : 'GET',
    headers: {
      ...(accessToken !== '' && { Authorization: `Bearer ${accessToken}` }),
      ...(body && { 'Content-Type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  const answer: unknown = await response.json().catch(() => undefined)
  if (response.ok) return answer as Answer
  const { title, detail } = (answer ?? {}) as { readonly title?: string; readonly detail?: string }
  throw new Error([title ?? `The server answers ${response.status}`, detail].filter(Boolean).join('. '))
}
