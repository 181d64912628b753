import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newKeyringText, newSigningKeyText } from '@breakpilot/tenant-core'
import { afterAll, describe, expect, it } from 'vitest'
import { ConfigError, readConfig } from './config.ts'

const folder = mkdtempSync(join(tmpdir(), 'config-'))
afterAll(() => rmSync(folder, { recursive: true }))

const written = (name: string, text: string): string => {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}
const keyring = written('keyring.json', newKeyringText('k7'))
const signingKey = written('signing-key.pem', newSigningKeyText())
const rsaKey = written(
  'rsa.pem',
  generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
)
const dev = { APP_ENV: 'dev', DATABASE_URL: 'postgres://app:hunter2@localhost/x' }
const prod = {
  ...dev,
  APP_ENV: 'prod',
  KEYCLOAK_ISSUER: 'https://id.example.org/realms/x',
  SECRETS_KEYRING_FILE: keyring,
  AUDIT_SIGNING_KEY_FILE: signingKey,
}
const problemOf = (env: Record<string, string>): string => {
  try {
    readConfig(env)
    return 'none'
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
}

describe('without being told', () => {
  it('development has no keyring and no limit, and neither has pages of others', () => {
    expect(readConfig(dev)).toMatchObject({
      keyring: undefined,
      signingKey: undefined,
      rateLimit: undefined,
      corsOrigins: [],
      purgeAfterDays: 30,
      listenUrl: dev.DATABASE_URL,
      metrics: undefined,
      macMode: 'enforce',
      hashCost: { memoryCost: 19456, timeCost: 2, parallelism: 1 },
    })
  })

  it('production has a limit', () => {
    expect(readConfig(prod)).toMatchObject({ rateLimit: { requests: 6000, seconds: 60 }, corsOrigins: [] })
  })
})

it('takes what it is told', () => {
  const listen = written('listen', 'postgres://app:hunter2@direct/x\n')
  const config = readConfig({
    ...prod,
    RATE_LIMIT: '10/1',
    CORS_ORIGINS: 'https://console.breakpilot.com, http://localhost:5173',
    PURGE_AFTER_DAYS: '0',
    DATABASE_LISTEN_URL_FILE: listen,
    METRICS_ADDR: ':9090',
    API_KEY_MAC: 'observe',
    API_KEY_ARGON2: 'm=65536,t=3,p=2',
  })
  expect(config).toMatchObject({
    rateLimit: { requests: 10, seconds: 1 },
    corsOrigins: ['https://console.breakpilot.com', 'http://localhost:5173'],
    purgeAfterDays: 0,
    listenUrl: 'postgres://app:hunter2@direct/x',
    metrics: [{ port: 9090 }],
    macMode: 'observe',
    hashCost: { memoryCost: 65536, timeCost: 3, parallelism: 2 },
  })
  expect(config.keyring?.current).toBe('k7')
  expect(config.signingKey?.publicKey.id).toMatch(/^[0-9a-f]{16}$/)
  expect(readConfig({ ...prod, RATE_LIMIT: 'off' }).rateLimit).toBeUndefined()
})

it('shows metrics without authentication to this machine alone, as everything else', () => {
  const { metrics } = readConfig({ ...dev, AUTH_MODE: 'off', METRICS_ADDR: '0.0.0.0:0' })
  expect(metrics).toEqual([{ host: '127.0.0.1', port: 0 }])
})

it.each<[string, Record<string, string>, string]>([
  ['no keyring in prod', { ...prod, SECRETS_KEYRING_FILE: '' }, 'SECRETS_KEYRING_FILE: is required with APP_ENV=prod'],
  [
    'no keyring in stage',
    { ...prod, APP_ENV: 'stage', SECRETS_KEYRING_FILE: '' },
    'SECRETS_KEYRING_FILE: is required with APP_ENV=stage',
  ],
  [
    'a keyring that is not there, in development too',
    { ...dev, SECRETS_KEYRING_FILE: '/nowhere' },
    'SECRETS_KEYRING_FILE: /nowhere cannot be read',
  ],
  [
    'a keyring that is none',
    { ...prod, SECRETS_KEYRING_FILE: written('none', 'hunter2') },
    `SECRETS_KEYRING_FILE: ${folder}/none: is not JSON`,
  ],
  [
    'a keyring with a short key',
    { ...prod, SECRETS_KEYRING_FILE: written('short', '{"current":"k1","keys":{"k1":"aHVudGVyMg=="}}') },
    `SECRETS_KEYRING_FILE: ${folder}/short: keys.k1: must be 32 bytes in Base64`,
  ],
  [
    'no signing key in stage',
    { ...prod, APP_ENV: 'stage', AUDIT_SIGNING_KEY_FILE: '' },
    'AUDIT_SIGNING_KEY_FILE: is required with APP_ENV=stage',
  ],
  [
    'a signing key that is not there, in development too',
    { ...dev, AUDIT_SIGNING_KEY_FILE: '/nowhere' },
    'AUDIT_SIGNING_KEY_FILE: /nowhere cannot be read',
  ],
  [
    'a signing key that is none',
    { ...prod, AUDIT_SIGNING_KEY_FILE: keyring },
    `AUDIT_SIGNING_KEY_FILE: ${keyring}: is not a private key in PEM (PKCS #8) without a passphrase`,
  ],
  [
    'a signing key of another kind',
    { ...prod, AUDIT_SIGNING_KEY_FILE: rsaKey },
    `AUDIT_SIGNING_KEY_FILE: ${rsaKey}: is not an Ed25519 key`,
  ],
  ['a limit of none', { ...dev, RATE_LIMIT: '0/60' }, 'RATE_LIMIT: must be off, or requests/seconds such as 6000/60'],
  [
    'a limit without time',
    { ...dev, RATE_LIMIT: '600' },
    'RATE_LIMIT: must be off, or requests/seconds such as 6000/60',
  ],
  [
    'another mode of the MAC',
    { ...dev, API_KEY_MAC: 'off' },
    'API_KEY_MAC: Invalid option: expected one of "enforce"|"observe"',
  ],
  ['a cost that is none', { ...dev, API_KEY_ARGON2: '19456' }, 'API_KEY_ARGON2: must look like m=19456,t=2,p=1'],
  [
    'a cheaper hash',
    { ...dev, API_KEY_ARGON2: 'm=19455,t=2,p=1' },
    'API_KEY_ARGON2: must not be weaker than m=19456,t=2,p=1',
  ],
  [
    'metrics nowhere',
    { ...dev, METRICS_ADDR: 'on' },
    'METRICS_ADDR: ADDR has to look like ":8090", "127.0.0.1:8090" or "[::1]:8090", not "on"',
  ],
  ['days that are none', { ...dev, PURGE_AFTER_DAYS: '-1' }, 'PURGE_AFTER_DAYS: must be a whole number'],
  [
    'any origin',
    { ...dev, CORS_ORIGINS: '*' },
    'CORS_ORIGINS: * is not an origin, such as https://console.breakpilot.com',
  ],
  [
    'an origin with a path',
    { ...dev, CORS_ORIGINS: 'https://console.breakpilot.com/' },
    'CORS_ORIGINS: https://console.breakpilot.com/ is not an origin, such as https://console.breakpilot.com',
  ],
  [
    'another protocol to listen by',
    { ...dev, DATABASE_LISTEN_URL: 'https://app:hunter2@localhost/x' },
    'DATABASE_LISTEN_URL: must be a URL that begins with postgres:// or postgresql://',
  ],
  [
    'two places to listen',
    { ...dev, DATABASE_LISTEN_URL: dev.DATABASE_URL, DATABASE_LISTEN_URL_FILE: '/nowhere' },
    'DATABASE_LISTEN_URL_FILE: is set beside DATABASE_LISTEN_URL; only one of them can be meant',
  ],
])('refuses %s in one line that names the variable', (_, env, message) => {
  expect(problemOf(env)).toBe(message)
})
