import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newKeyringText, newSigningKeyText } from '@breakpilot/tenant-core'
import { operatorClaims, productClaims } from '../../packages/http/test/claims.ts'
import { aSigningKey, audience, startProvider } from '../../packages/http/test/oidc-provider.ts'
import { checkout } from '../postgres/installation.ts'
import { manifestFolder } from './acme.ts'
import { type Start, startServer, type ServerUnderLoad } from './children.ts'
import { bySlug } from './workloads.ts'

/** The servers that are measured, by their names, and tokens for the registry by who bears them. */
export interface Servers {
  readonly servers: ReadonlyMap<string, ServerUnderLoad>
  readonly tokens: Tokens
  /** Where the keyring of the registry is. */
  readonly keyringFile: string
  /** Starts another replica of the registry, which counts argon2. Its listening connection may be another one. */
  readonly startReplica: (listenUrl?: string) => Promise<ServerUnderLoad>
}

export type Tokens = Readonly<Record<'operator' | 'certifai' | 'dossier', string>>

/**
 * Starts all of them, and the identity provider of the registry.
 * @param profile the folder for a CPU profile of the registry, if there should be one
 * @param onClose hears how to end each thing that was started
 */
export async function startServers(
  databaseUrl: string,
  profile: string | undefined,
  onClose: (close: () => unknown) => void,
): Promise<Servers> {
  const provider = await startProvider([await aSigningKey('RS256', 'bench')])
  onClose(() => provider.close())
  const tokens = {
    operator: await provider.accessToken({ claims: operatorClaims('platform-operator') }),
    certifai: await provider.accessToken({ claims: productClaims('certifai') }),
    dossier: await provider.accessToken({ claims: productClaims('dossier') }),
  }
  const files = {
    log: join(checkout, '.data', 'bench.log'),
    keyring: join(checkout, '.data', 'bench-keyring.json'),
    signingKey: join(checkout, '.data', 'bench-signing-key.pem'),
  }
  const discard = () => Object.values(files).forEach((file) => rmSync(file, { force: true }))
  discard()
  onClose(discard)
  writeFileSync(files.keyring, newKeyringText('bench'), { mode: 0o600 })
  writeFileSync(files.signingKey, newSigningKeyText(), { mode: 0o600 })

  const common = { DATABASE_URL: databaseUrl, NODE_ENV: 'production' }
  const bare = (entry: string): Start => ({
    entry,
    env: (port) => ({ ...common, PORT: String(port) }),
    output: '/dev/null',
    flags: [],
  })
  const registry = (env: Readonly<Record<string, string>>): Start => ({
    entry: 'apps/server/src/main.ts',
    env: (port) => ({ ...common, ADDR: `127.0.0.1:${port}`, PRODUCT_MANIFEST_DIR: manifestFolder, ...env }),
    output: files.log,
    flags: [],
  })
  const inProduction = registry({
    APP_ENV: 'prod',
    AUTH_MODE: 'oidc',
    KEYCLOAK_ISSUER: provider.issuer,
    OIDC_AUDIENCE: audience,
    SECRETS_KEYRING_FILE: files.keyring,
    AUDIT_SIGNING_KEY_FILE: files.signingKey,
    SHUTDOWN_DELAY: '0',
    // Every request is counted, and none is one too many.
    RATE_LIMIT: '999999999/60',
  })
  const starts: Readonly<Record<string, Start>> = {
    'bare Express': bare('scripts/bench/bare-express.ts'),
    'bare node:http': bare('scripts/bench/bare-node.ts'),
    'registry without tokens': registry({ APP_ENV: 'dev', AUTH_MODE: 'off' }),
    registry: {
      ...inProduction,
      flags: profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`],
      token: tokens.operator,
    },
  }
  const startReplica = async (listenUrl = databaseUrl): Promise<ServerUnderLoad> => {
    const start: Start = {
      ...inProduction,
      env: (port) => ({ ...inProduction.env(port), DATABASE_LISTEN_URL: listenUrl }),
      flags: ['--import', join(checkout, 'scripts/bench/argon2-probe.ts')],
      token: tokens.operator,
    }
    const server = await startServer(start, bySlug)
    onClose(() => server.stop())
    return server
  }
  const servers = new Map<string, ServerUnderLoad>()
  for (const [name, how] of Object.entries(starts)) {
    const server = await startServer(how, bySlug)
    onClose(() => server.stop())
    servers.set(name, server)
  }
  return { servers, tokens, keyringFile: files.keyring, startReplica }
}
