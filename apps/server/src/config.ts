import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { fileURLToPath } from 'node:url'
import {
  type HashCost,
  hashCostMin,
  isAtLeast,
  type Keyring,
  KeyringError,
  parseKeyring,
  parseSigningKey,
  type SigningKey,
  SigningKeyError,
} from '@breakpilot/tenant-core'
import { authConfigProblem, listenAddresses, type RateLimit } from '@breakpilot/tenant-http'
import { z } from 'zod'

const url = (protocols: readonly string[]) =>
  z.string().refine((value) => URL.canParse(value) && protocols.includes(new URL(value).protocol), {
    error: `must be a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  })
const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, { error: 'must be a whole number' })
    .transform(Number)
    .pipe(z.int().min(min).max(max))

function costOf(text: string): HashCost {
  const [memoryCost = 0, timeCost = 0, parallelism = 0] = text.split(',').map((part) => Number(part.slice(2)))
  return { memoryCost, timeCost, parallelism }
}

/** The environment, as it is documented in the README. Every variable is a string or not there. */
const Environment = z.object({
  APP_ENV: z.enum(['dev', 'stage', 'prod']).default('dev'),
  ADDR: z.string().default(':8090'),
  AUTH_MODE: z.enum(['oidc', 'off']).default('oidc'),
  KEYCLOAK_ISSUER: url(['http:', 'https:']).optional(),
  KEYCLOAK_JWKS_URL: url(['http:', 'https:']).optional(),
  OIDC_AUDIENCE: z.string().default('tenant-registry'),
  DATABASE_URL: url(['postgres:', 'postgresql:']),
  DATABASE_POOL_SIZE: integer(1, 1000).default(10),
  DATABASE_PREPARE: z.enum(['on', 'off']).default('on'),
  DATABASE_LISTEN_URL: url(['postgres:', 'postgresql:']).optional(),
  SECRETS_KEYRING_FILE: z.string().optional(),
  AUDIT_SIGNING_KEY_FILE: z.string().optional(),
  METRICS_ADDR: z.string().optional(),
  API_KEY_MAC: z.enum(['enforce', 'observe']).default('enforce'),
  API_KEY_ARGON2: z
    .string()
    .regex(/^m=\d{1,9},t=\d{1,5},p=\d{1,3}$/, { error: 'must look like m=19456,t=2,p=1' })
    .transform(costOf)
    .refine((cost) => isAtLeast(cost, hashCostMin) && cost.parallelism >= 1, {
      error: `must not be weaker than m=${hashCostMin.memoryCost},t=${hashCostMin.timeCost},p=1`,
    })
    .default(hashCostMin),
  PURGE_AFTER_DAYS: integer(0, 3650).default(30),
  AUDIT_VIEWER_TTL: integer(10, 3600).default(300),
  AUDIT_ENTERPRISE_TOKENS: z.enum(['readable', 'once']).default('readable'),
  RATE_LIMIT: z
    .string()
    .regex(/^(?:off|[1-9]\d{0,8}\/[1-9]\d{0,4})$/, { error: 'must be off, or requests/seconds such as 6000/60' })
    .optional(),
  CORS_ORIGINS: z.string().default(''),
  PRODUCT_MANIFEST_DIR: z.string().default(fileURLToPath(new URL('../products', import.meta.url))),
  SHUTDOWN_DELAY: integer(0, 300).optional(),
  TRUST_PROXY: z.string().default(''),
  SHUTDOWN_TIMEOUT: integer(1, 3600).default(20),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
})

/** The variables that the server reads. */
export const variables: readonly string[] = Object.keys(Environment.shape)

/** What the server is told. */
export interface Config {
  readonly appEnv: 'dev' | 'stage' | 'prod'
  readonly listen: ReturnType<typeof listenAddresses>
  readonly auth: {
    readonly mode: 'oidc' | 'off'
    readonly issuer: string
    readonly audience: string
    readonly jwksUrl?: string
  }
  readonly database: { readonly connectionString: string; readonly poolSize: number; readonly prepare: boolean }
  /** Where notifications are listened for: past a pooler that gives each transaction another connection. */
  readonly listenUrl: string
  /** The secrets that others are derived from; undefined for ones that last as long as the process. */
  readonly keyring: Keyring | undefined
  /** What checkpoints of the audit log are signed with; undefined for a key that lasts as long as the process. */
  readonly signingKey: SigningKey | undefined
  /** Where metrics are served, if they are. */
  readonly metrics: ReturnType<typeof listenAddresses> | undefined
  /** What becomes of API keys whose MAC no key of the keyring made. */
  readonly macMode: 'enforce' | 'observe'
  /** How dear the hashes of API keys are made. */
  readonly hashCost: HashCost
  /** For how long an archived tenant is kept before it may be purged. */
  readonly purgeAfterDays: number
  /** For how long somebody may look into the log with a viewer token. */
  readonly viewerTtlSeconds: number
  /** How Retraced's wire behaves: whether enterprise tokens can be read again. */
  readonly retraced: { readonly enterpriseTokens: 'readable' | 'once' }
  /** How much each caller may ask of this process. */
  readonly rateLimit: RateLimit | undefined
  /** The origins whose pages may read answers. */
  readonly corsOrigins: readonly string[]
  readonly manifestFolder: string
  /** How many proxies are in front of us, or which: an empty list for none. */
  readonly trustProxy: number | readonly string[]
  /** How long requests are still taken after readiness has fallen. */
  readonly shutdownDelayMs: number
  /** How long all of the stopping may take. */
  readonly shutdownTimeoutMs: number
  readonly logLevel: string
}

/** A variable that makes no sense. The message is one line and names the variable; it never repeats a secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

const devIssuer = 'http://localhost:8080/realms/breakpilot-dev'

/**
 * Reads the configuration.
 * @throws {ConfigError} naming the first variable that is missing or makes no sense
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  // An empty variable is how compose files and charts say "not set".
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  const parsed = Environment.safeParse({
    ...given,
    ...secretFromFile('DATABASE_URL', given),
    ...secretFromFile('DATABASE_LISTEN_URL', given),
  })
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const variable = String(issue?.path[0])
    const missing = issue?.code === 'invalid_type' && !(variable in given)
    throw new ConfigError(`${variable}: ${missing ? 'is required' : issue?.message}`)
  }
  const e = parsed.data
  const problem = authConfigProblem({ mode: e.AUTH_MODE, appEnv: e.APP_ENV, appEnvExplicit: 'APP_ENV' in given })
  if (problem !== undefined) throw new ConfigError(problem)
  if (e.KEYCLOAK_ISSUER === undefined && e.APP_ENV !== 'dev') {
    throw new ConfigError(`KEYCLOAK_ISSUER: is required with APP_ENV=${e.APP_ENV}`)
  }
  const shutdownDelay = e.SHUTDOWN_DELAY ?? (e.APP_ENV === 'dev' ? 0 : 5)
  if (e.SHUTDOWN_TIMEOUT <= shutdownDelay) {
    throw new ConfigError(`SHUTDOWN_TIMEOUT: must be more than SHUTDOWN_DELAY, which is ${shutdownDelay}`)
  }
  return {
    appEnv: e.APP_ENV,
    listen: listen('ADDR', e.AUTH_MODE, e.ADDR),
    auth: {
      mode: e.AUTH_MODE,
      issuer: e.KEYCLOAK_ISSUER ?? devIssuer,
      audience: e.OIDC_AUDIENCE,
      ...(e.KEYCLOAK_JWKS_URL !== undefined && { jwksUrl: e.KEYCLOAK_JWKS_URL }),
    },
    database: {
      connectionString: e.DATABASE_URL,
      poolSize: e.DATABASE_POOL_SIZE,
      prepare: e.DATABASE_PREPARE === 'on',
    },
    listenUrl: e.DATABASE_LISTEN_URL ?? e.DATABASE_URL,
    keyring: readKeyring(e.SECRETS_KEYRING_FILE, e.APP_ENV),
    signingKey: readSigningKey(e.AUDIT_SIGNING_KEY_FILE, e.APP_ENV),
    metrics: e.METRICS_ADDR === undefined ? undefined : listen('METRICS_ADDR', e.AUTH_MODE, e.METRICS_ADDR),
    macMode: e.API_KEY_MAC,
    hashCost: e.API_KEY_ARGON2,
    purgeAfterDays: e.PURGE_AFTER_DAYS,
    viewerTtlSeconds: e.AUDIT_VIEWER_TTL,
    retraced: { enterpriseTokens: e.AUDIT_ENTERPRISE_TOKENS },
    rateLimit: rateLimit(e.RATE_LIMIT ?? (e.APP_ENV === 'dev' ? 'off' : '6000/60')),
    corsOrigins: origins(e.CORS_ORIGINS),
    manifestFolder: e.PRODUCT_MANIFEST_DIR,
    trustProxy: proxies(e.TRUST_PROXY),
    shutdownDelayMs: shutdownDelay * 1000,
    shutdownTimeoutMs: e.SHUTDOWN_TIMEOUT * 1000,
    logLevel: e.LOG_LEVEL,
  }
}

function listen(variable: string, mode: 'oidc' | 'off', addr: string) {
  try {
    return listenAddresses(mode, addr)
  } catch (error) {
    throw new ConfigError(`${variable}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

function readKeyring(file: string | undefined, appEnv: Config['appEnv']): Keyring | undefined {
  if (file === undefined) {
    if (appEnv === 'dev') return undefined
    throw new ConfigError(`SECRETS_KEYRING_FILE: is required with APP_ENV=${appEnv}`)
  }
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new ConfigError(`SECRETS_KEYRING_FILE: ${file} cannot be read`, { cause })
  }
  try {
    return parseKeyring(text)
  } catch (error) {
    // Without its cause: whatever printed that could print the keyring.
    const problem = error instanceof KeyringError ? error.message : 'is not valid'
    throw new ConfigError(`SECRETS_KEYRING_FILE: ${file}: ${problem}`)
  }
}

function readSigningKey(file: string | undefined, appEnv: Config['appEnv']): SigningKey | undefined {
  if (file === undefined) {
    if (appEnv === 'dev') return undefined
    throw new ConfigError(`AUDIT_SIGNING_KEY_FILE: is required with APP_ENV=${appEnv}`)
  }
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new ConfigError(`AUDIT_SIGNING_KEY_FILE: ${file} cannot be read`, { cause })
  }
  try {
    return parseSigningKey(text)
  } catch (error) {
    const problem = error instanceof SigningKeyError ? error.message : 'is not valid'
    throw new ConfigError(`AUDIT_SIGNING_KEY_FILE: ${file}: ${problem}`)
  }
}

function rateLimit(value: string): RateLimit | undefined {
  if (value === 'off') return undefined
  const [requests, seconds] = value.split('/').map(Number)
  return requests === undefined || seconds === undefined ? undefined : { requests, seconds }
}

/** Origins, as browsers send them: compared as texts, so a path or a slash at the end would never match. */
function origins(value: string): readonly string[] {
  const names = list(value)
  const unfit = names.find((name) => !URL.canParse(name) || new URL(name).origin !== name)
  if (unfit === undefined) return names
  throw new ConfigError(`CORS_ORIGINS: ${unfit} is not an origin, such as https://console.breakpilot.com`)
}

const list = (value: string) =>
  value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')

/** A number of proxies, or their addresses and networks. */
function proxies(value: string): number | readonly string[] {
  if (/^\d$/.test(value)) return Number(value)
  const names = list(value)
  const unfit = names.find((name) => {
    const [address = '', bits, ...rest] = name.split('/')
    const version = isIP(address)
    const bitsMax = version === 4 ? 32 : 128
    const range = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= bitsMax)
    return !['loopback', 'linklocal', 'uniquelocal'].includes(name) && (version === 0 || !range || rest.length > 0)
  })
  if (unfit === undefined) return names
  throw new ConfigError(`TRUST_PROXY: ${unfit} is neither a number of proxies nor an address or a network`)
}

/** `NAME_FILE` names a file with the value, which is how secrets are mounted. */
function secretFromFile(name: string, env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const file = env[`${name}_FILE`]
  if (file === undefined) return {}
  if (env[name] !== undefined)
    throw new ConfigError(`${name}_FILE: is set beside ${name}; only one of them can be meant`)
  try {
    return { [name]: readFileSync(file, 'utf8').trim() }
  } catch (cause) {
    throw new ConfigError(`${name}_FILE: ${file} cannot be read`, { cause })
  }
}
