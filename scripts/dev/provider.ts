import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { memberClaims, operatorClaims, productClaims } from '../../packages/http/test/claims.ts'
import { aSigningKey, audience, type Claims, startProvider } from '../../packages/http/test/oidc-provider.ts'
import { checkout } from '../postgres/installation.ts'

const acme = '00000000-0000-0000-0000-000000000001'
const elsewhere = '00000000-0000-0000-0000-000000000002'
const hours = 12

/** Who there is a token for, by the variable that holds it. */
export const cast: Readonly<Record<string, Claims>> = {
  OWNER: operatorClaims('platform-owner'),
  OPERATOR: operatorClaims('platform-operator'),
  BILLING: operatorClaims('platform-billing'),
  SUPPORT: operatorClaims('platform-support'),
  AUDITOR: operatorClaims('platform-auditor'),
  ACME_ADMIN: memberClaims({ acme: [acme, 'tenant-admin'] }),
  ACME_VIEWER: memberClaims({ acme: [acme, 'tenant-viewer'] }),
  STRANGER: memberClaims({ elsewhere: [elsewhere, 'tenant-admin'] }),
  CERTIFAI: productClaims('certifai'),
  COMPLIANCE: productClaims('compliance'),
  NOBODY: { sub: 'nobody' },
}

/** An identity provider for `pnpm dev:oidc`. */
export interface DevProvider {
  /** What makes the server believe it. */
  readonly env: Readonly<Record<string, string>>
  /** A token for each of the cast, as lines for a shell. */
  readonly lines: readonly string[]
  /** A file with these lines, that only its user can read. */
  readonly file: string
  close(): Promise<void>
}

/**
 * Starts a provider on the loopback interface that has issued a token for everybody. Its key lasts as long as it does,
 * so nothing that it signed is good for anything afterwards.
 * @param file where the tokens are left, until it closes
 */
export async function startDevProvider(file = join(checkout, '.data', 'dev-tokens.sh')): Promise<DevProvider> {
  const provider = await startProvider([await aSigningKey('RS256', 'dev')])
  const exp = Math.floor(Date.now() / 1000) + hours * 3600
  const lines = await Promise.all(
    Object.entries(cast).map(
      async ([name, claims]) => `export ${name}=${await provider.accessToken({ claims: { ...claims, exp } })}`,
    ),
  )
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 })
  return {
    // An empty variable is none: whatever the shell has of another provider must not meddle.
    env: { AUTH_MODE: 'oidc', KEYCLOAK_ISSUER: provider.issuer, KEYCLOAK_JWKS_URL: '', OIDC_AUDIENCE: audience },
    lines,
    file,
    async close() {
      rmSync(file, { force: true })
      await provider.close()
    },
  }
}
