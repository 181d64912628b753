import { platformTenant } from '@breakpilot/tenant-core'
import { Client } from '@retracedhq/retraced'
import { sql } from 'kysely'
import { expect } from 'vitest'
import { type Answer, type CallOptions, type ServerUnderTest, startTestServer } from '../server.ts'

const publisherScopes = ['audit:publish', 'audit:read', 'audit:delegate']

/** The real server with Retraced's wire, and what tests do there. */
export interface Wire extends ServerUnderTest {
  /** Makes a key of a product, through the API as everybody does. */
  readonly publisherKey: (fields?: KeyFields) => Promise<string>
  /** Runs SQL as the server's role. */
  readonly query: (text: string) => Promise<unknown[]>
  /** Sends a request below `/audit`, with a token as Retraced's clients send it. */
  readonly ask: (method: string, path: string, token: string | undefined, options?: CallOptions) => Promise<Answer>
}

interface KeyFields {
  readonly product?: string
  readonly environment?: 'live' | 'test'
  readonly scopes?: readonly string[]
}

export async function startWire(env: Record<string, string> = {}): Promise<Wire> {
  const server = await startTestServer(env)
  return {
    ...server,
    async publisherKey({ product = 'certifai', environment = 'live', scopes = publisherScopes } = {}) {
      const made = await server.call('POST', `/v1/tenants/${platformTenant}/api-keys`, {
        json: {
          name: 'Publisher',
          product,
          environment,
          scopes,
          expires_at: new Date(Date.now() + 86_400_000).toISOString(),
        },
      })
      expect(made.status).toBe(201)
      return made.body.key as string
    },
    query: async (text) => (await sql.raw(text).execute(server.db)).rows,
    ask: async (method, path, token, options = {}) =>
      await server.call(method, `/audit${path}`, {
        ...options,
        headers: { ...(token !== undefined && { authorization: `Token token=${token}` }), ...options.headers },
      }),
  }
}

/** The unchanged official client. */
export function clientOf(wire: Wire, apiKey: string, project = 'certifai'): Client {
  return new Client({ apiKey, projectId: project, endpoint: `${wire.url}/audit`, component: 'web', version: '1.2.3' })
}

/** A search of everything that an event can be asked for. */
export const everything = `query Search($query: String!, $last: Int, $before: String) {
  search(query: $query, last: $last, before: $before) {
    totalCount
    pageInfo { hasPreviousPage hasNextPage }
    edges {
      cursor
      node {
        id action description crud received created canonical_time is_failure is_anonymous source_ip country
        loc_subdiv1 loc_subdiv2 component version external_id raw
        group { id name }
        actor { id name href fields { key value } }
        target { id name href type fields { key value } }
        display { markdown }
        fields { key value }
        metadata { key value }
      }
    }
  }
}`
