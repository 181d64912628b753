import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAuthenticator, type Principal } from '../../packages/http/src/auth/index.ts'
import { cast, type DevProvider, startDevProvider } from './provider.ts'

const folder = mkdtempSync(join(tmpdir(), 'dev-tokens-'))
const file = join(folder, 'tokens.sh')
let provider: DevProvider

beforeAll(async () => {
  provider = await startDevProvider(file)
})
afterAll(async () => {
  await provider.close()
  rmSync(folder, { recursive: true })
})

function authorityOf(principal: Principal): string {
  if (principal.kind === 'operator') return principal.roles.join()
  if (principal.kind === 'tenant-user') return [...principal.memberships].map((each) => each.join(' ')).join()
  return principal.kind === 'product' ? principal.product : principal.kind
}

test('a token for each of the cast has the authority that its name promises', async () => {
  const { KEYCLOAK_ISSUER: issuer = '', OIDC_AUDIENCE: audience = '' } = provider.env
  const authenticate = createAuthenticator({ mode: 'oidc', issuer, audience, productOfClient: (client) => client })
  const found: Record<string, string> = {}
  for (const line of provider.lines) {
    const [, name = '', token = ''] = /^export ([A-Z_]+)=([\w.-]+)$/.exec(line) ?? []
    const rawHeaders = ['Authorization', `Bearer ${token}`]
    found[name] = authorityOf(await authenticate({ socket: { remoteAddress: '127.0.0.1' }, rawHeaders }))
  }
  expect(found).toEqual({
    OWNER: 'platform-owner',
    OPERATOR: 'platform-operator',
    BILLING: 'platform-billing',
    SUPPORT: 'platform-support',
    AUDITOR: 'platform-auditor',
    ACME_ADMIN: '00000000-0000-0000-0000-000000000001 tenant-admin',
    ACME_VIEWER: '00000000-0000-0000-0000-000000000001 tenant-viewer',
    STRANGER: '00000000-0000-0000-0000-000000000002 tenant-admin',
    CERTIFAI: 'certifai',
    COMPLIANCE: 'compliance',
    NOBODY: 'unassigned',
  })
  expect(Object.keys(found)).toEqual(Object.keys(cast))
})

test('the tokens are left in a file that only its user can read', () => {
  expect(readFileSync(file, 'utf8')).toBe(`${provider.lines.join('\n')}\n`)
  expect(statSync(file).mode & 0o777).toBe(0o600)
})
