export { authConfigProblem, type AuthConfig, type AuthMode } from './auth-config.ts'
export { createAuthenticator, type Authenticate } from './authenticate.ts'
export { challengeFor } from './challenge.ts'
export { listenAddresses, type ListenAddress } from './listen-addresses.ts'
export { type Permission, permissions, permissionsOf, type Role } from './permissions.ts'
export { principalOf } from './principal-of.ts'
export type {
  Actor,
  ApiKeyPrincipal,
  Operator,
  PlatformRole,
  Principal,
  ProductKey,
  ProductService,
  TenantRole,
  TenantUser,
  Unassigned,
} from './principal.ts'
export type { Timing } from './provider-keys.ts'
export type { RequestHead } from './request-head.ts'
