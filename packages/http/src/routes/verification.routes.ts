import {
  type Asker,
  type Asking,
  RegistryError,
  Verification,
  VerificationBatch,
  VerifiedKey,
  VerifiedKeys,
} from '@breakpilot/tenant-core'
import type { Principal } from '../auth/index.ts'
import { type Call, route } from '../route.ts'

const tag = 'api-keys'

/** What somebody may know of keys: a product those that open it, who runs the platform all. */
function askerOf(principal: Principal | undefined): Asker {
  if (principal?.kind === 'operator') return { kind: 'platform' }
  if (principal?.kind === 'product' || principal?.kind === 'product-key') {
    return { kind: 'product', product: principal.product }
  }
  throw new RegistryError('auth.permission_denied')
}

/** Who asks, for the verifier. */
function askingOf(call: Pick<Call<undefined, undefined, undefined>, 'principal' | 'signal'>): Asking {
  const { principal } = call
  return {
    asker: askerOf(principal),
    caller: principal?.actor.id ?? '',
    // Only what has to wait asks for it: a listener on every connection costs more than most verifications.
    left: () => call.signal,
  }
}

/** What every request asks of the registry: first in the router's order. */
export const verificationRoutes = [
  route({
    method: 'post',
    path: '/v1/api-keys/verify',
    operation: 'verifyApiKey',
    tag,
    summary: 'Verify an API key',
    description:
      'Says whether a key that somebody brought is good for what it is brought for, and for how long that may be relied on. A product knows no keys but those that open it: every other one is `NOT_FOUND`, as an invented one is.',
    scope: 'api_keys:verify',
    countedBy: 'nobody',
    body: Verification,
    status: 200,
    response: VerifiedKey,
    wire: true,
    errors: [],
    handle: async (call) => await call.apiKeys.verify(call.body, askingOf(call)),
  }),
  route({
    method: 'post',
    path: '/v1/api-keys/verify-batch',
    operation: 'verifyApiKeys',
    tag,
    summary: 'Verify many API keys',
    description:
      'Says of up to a hundred keys what `verify` says of one, in order. A key whose turn to be proven did not come is `RETRY`: ask about it again.',
    scope: 'api_keys:verify',
    countedBy: 'nobody',
    body: VerificationBatch,
    status: 200,
    response: VerifiedKeys,
    wire: true,
    errors: [],
    handle: async (call) => ({ data: await call.apiKeys.verifyMany(call.body.items, askingOf(call)) }),
  }),
]
