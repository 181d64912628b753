import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newKeyringText, newSigningKeyText } from '@breakpilot/tenant-core'
import { operatorClaims } from '../../../packages/http/test/claims.ts'
import { aSigningKey, audience, startProvider } from '../../../packages/http/test/oidc-provider.ts'
import { checkout } from '../../postgres/installation.ts'
import { manifestFolder } from '../acme.ts'
import { type ServerUnderLoad, startServer } from '../children.ts'

/** The server as it ships, in production, with a token of somebody who sees the whole log. */
export async function startRegistry(
  databaseUrl: string,
  onClose: (close: () => unknown) => void,
): Promise<ServerUnderLoad> {
  const provider = await startProvider([await aSigningKey('RS256', 'bench')])
  onClose(() => provider.close())
  const token = await provider.accessToken({ claims: operatorClaims('platform-owner') })
  const files = {
    log: join(checkout, '.data', 'bench-audit.log'),
    keyring: join(checkout, '.data', 'bench-audit-keyring.json'),
    signingKey: join(checkout, '.data', 'bench-audit-signing-key.pem'),
  }
  const discard = () => Object.values(files).forEach((file) => rmSync(file, { force: true }))
  discard()
  onClose(discard)
  // A key of its own each time: a database that was kept knows the one before by its name.
  writeFileSync(files.keyring, newKeyringText(`bench-${Date.now()}`), { mode: 0o600 })
  writeFileSync(files.signingKey, newSigningKeyText(), { mode: 0o600 })
  const server = await startServer(
    {
      entry: 'apps/server/src/main.ts',
      env: (port) => ({
        DATABASE_URL: databaseUrl,
        NODE_ENV: 'production',
        ADDR: `127.0.0.1:${port}`,
        PRODUCT_MANIFEST_DIR: manifestFolder,
        APP_ENV: 'prod',
        AUTH_MODE: 'oidc',
        KEYCLOAK_ISSUER: provider.issuer,
        OIDC_AUDIENCE: audience,
        SECRETS_KEYRING_FILE: files.keyring,
        AUDIT_SIGNING_KEY_FILE: files.signingKey,
        SHUTDOWN_DELAY: '0',
        RATE_LIMIT: '999999999/60',
      }),
      output: files.log,
      flags: [],
      token,
    },
    '/v1/me',
  )
  onClose(() => server.stop())
  return server
}

/** What ingest is compared with. */
export async function startBareExpress(
  databaseUrl: string,
  onClose: (close: () => unknown) => void,
): Promise<ServerUnderLoad> {
  const output = join(checkout, '.data', 'bench-audit-bare.log')
  onClose(() => rmSync(output, { force: true }))
  const env = (port: number) => ({ DATABASE_URL: databaseUrl, NODE_ENV: 'production', PORT: String(port) })
  const server = await startServer({ entry: 'scripts/bench/audit/bare-express.ts', env, output, flags: [] }, '/')
  onClose(() => server.stop())
  return server
}
