import type { AccessToken } from './token-claims.ts'

/** Who an audit event names as its author. */
export interface Actor {
  readonly id: string
  readonly name: string
}

/** What an operator's role may be; which operations each role covers is the routes' business. */
export type PlatformRole =
  | 'platform-owner'
  | 'platform-operator'
  | 'platform-billing'
  | 'platform-support'
  | 'platform-auditor'

/** Someone who runs the platform: every tenant, as far as the role goes. */
export interface Operator {
  readonly kind: 'operator'
  readonly role: PlatformRole
  readonly actor: Actor
}

/** The bearer of a good token which gives no authority here. Every operation answers it `auth.permission_denied`. */
export interface Unassigned {
  readonly kind: 'unassigned'
  readonly subject: string
  readonly actor: Actor
}

/**
 * Who makes a request. Authority hangs on `kind`, so a `switch` over it stops compiling when a kind is added: tenant
 * users, product services, API keys.
 */
export type Principal = Operator | Unassigned

/** Who every local request is while authentication is off. */
export const developer: Operator = Object.freeze({
  kind: 'operator',
  role: 'platform-owner',
  actor: Object.freeze({ id: 'dev', name: 'dev' }),
})

/** Says who the bearer of a verified token is. */
export function principalOf(token: AccessToken): Principal {
  return { kind: 'unassigned', subject: token.subject, actor: { id: token.subject, name: token.name } }
}
