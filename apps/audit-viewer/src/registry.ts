/** A tenant, as far as the page shows it. */
export interface Tenant {
  readonly id: string
  readonly slug: string | undefined
  readonly name: string
}

/** What somebody of the platform's wants to look into. */
export interface Asked {
  readonly tenant: Tenant
  /** The key of a product; empty for all of them. */
  readonly product: string
  /** Empty for both. */
  readonly environment: '' | 'live' | 'test'
}

/** A viewer token, and the id that ends it. */
export interface IssuedToken {
  readonly id: string
  readonly token: string
}

/** The registry did not do what it was asked. */
export class RegistryProblem extends Error {
  override readonly name = 'RegistryProblem'
  /** The HTTP status; 0 when nobody answered. */
  readonly status: number

  constructor(status: number, text: string) {
    super(text)
    this.status = status
  }
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * The registry's own API, on the server that the page comes from, asked with what somebody pasted: it is held here and
 * nowhere else.
 */
export class Registry {
  readonly #access: string

  /** @param access an access token; empty where authentication is off */
  constructor(access: string) {
    this.#access = access
  }

  /**
   * The tenant with this id or slug. One that is gone has its log still, under its id.
   * @throws {RegistryProblem}
   */
  async findTenant(text: string): Promise<Tenant> {
    const name = text.trim()
    const path = uuid.test(name) ? name : `by-slug/${encodeURIComponent(name)}`
    try {
      return await this.#ask<Tenant>('GET', `/v1/tenants/${path}`)
    } catch (error) {
      if (error instanceof RegistryProblem && error.status === 404 && uuid.test(name)) {
        return { id: name, slug: undefined, name }
      }
      throw error
    }
  }

  /** The products that there are. */
  async listProducts(): Promise<readonly { readonly key: string; readonly name: string }[]> {
    return (await this.#ask<{ data: { key: string; name: string }[] }>('GET', '/v1/products')).data
  }

  /**
   * A viewer token for what is asked.
   * @throws {RegistryProblem}
   */
  async issueViewerToken({ tenant, product, environment }: Asked): Promise<IssuedToken> {
    const body = {
      tenant_id: tenant.id,
      ...(product !== '' && { product }),
      ...(environment !== '' && { environment }),
    }
    return await this.#ask<IssuedToken>('POST', '/v1/audit/viewer-tokens', body)
  }

  /** Ends a viewer token before its time. One that cannot be ended now is over soon. */
  async endViewerToken(id: string): Promise<void> {
    await this.#ask('DELETE', `/v1/audit/viewer-tokens/${encodeURIComponent(id)}`).catch(() => undefined)
  }

  async #ask<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    const response = await fetch(path, {
      method,
      headers: {
        Accept: 'application/json',
        ...(this.#access !== '' && { Authorization: `Bearer ${this.#access}` }),
        ...(body && { 'Content-Type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    }).catch(() => {
      throw new RegistryProblem(0, 'The server does not answer. Try again later.')
    })
    if (response.ok) return (response.status === 204 ? undefined : await response.json()) as Answer
    throw new RegistryProblem(response.status, await problemOf(response))
  }
}

/** What went wrong, in the server's words. */
async function problemOf(response: Response): Promise<string> {
  const problem: unknown = await response.json().catch(() => undefined)
  const said = typeof problem === 'object' && problem !== null ? (problem as { title?: string; detail?: string }) : {}
  const text = [said.title, said.detail].filter((part) => part).join('. ')
  return text || `The server answers ${response.status}. Try again later.`
}
