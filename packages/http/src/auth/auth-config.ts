import type { Identified } from '@breakpilot/tenant-core'

/** `oidc` wants an access token with every request; `off` answers whoever is on this machine. */
export type AuthMode = 'oidc' | 'off'

/** A signal that is aborted when the caller does not wait for an answer any more. */
export type CallerLeft = () => AbortSignal

/** What the authenticator has to know. */
export interface AuthConfig {
  readonly mode: AuthMode
  /** Compared byte for byte with `iss`: a trailing slash counts. */
  readonly issuer: string
  /** What `aud` has to contain. */
  readonly audience: string
  /** Where the keys are, when they cannot be fetched from where `issuer` says: inside a cluster, for instance. */
  readonly jwksUrl?: string
  /** The key of the product whose client in the identity provider this is. */
  readonly productOfClient?: (clientId: string) => string | undefined
  /** Says whose an API key is that comes as a bearer token. Without it no key is accepted. */
  readonly identifyKey?: (
    key: string,
    clientIp: string | undefined,
    left: CallerLeft | undefined,
  ) => Identified | Promise<Identified>
  /** Gets one line about what an operator should know. Never contains anything of a token. */
  readonly onWarning?: (message: string) => void
}

/**
 * Says in one line why a server must not start with this mode, or nothing if it may. Without authentication everybody
 * is the platform's owner, so a default alone must never lead there: somebody has to have written `APP_ENV=dev`.
 */
export function authConfigProblem(config: {
  readonly mode: AuthMode
  readonly appEnvExplicit: boolean
  readonly appEnv: string
}): string | undefined {
  if (config.mode === 'oidc' || (config.appEnvExplicit && config.appEnv === 'dev')) return undefined
  const found = config.appEnvExplicit ? `it is ${config.appEnv}` : 'it is not set'
  return `AUTH_MODE=off is only accepted when APP_ENV=dev is set explicitly, and ${found}`
}
