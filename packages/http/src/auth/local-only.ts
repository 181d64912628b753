import { RegistryError } from '@breakpilot/tenant-core'
import type { RequestHead } from './request-head.ts'

const localHost = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i

/**
 * Lets a request pass only if it was made on this machine, for this machine: what stands between an open server and
 * everybody else. A loopback peer proves little, since sidecars, tunnels, port forwarding and browsers all connect from
 * there; so the request must also not look relayed, name this machine, and not come from somebody's web page.
 *
 * Reads `rawHeaders`, because `headers` drops the second of two `Host` lines.
 * @throws {RegistryError} `auth.request_not_local`
 */
export function assertLocal(request: RequestHead): void {
  if (!isLoopback(request.socket.remoteAddress)) refuse('This one came over the network.')
  const raw = request.rawHeaders
  let hosts = 0
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index]?.toLowerCase() ?? ''
    const value = raw[index + 1] ?? ''
    switch (name) {
      case 'host':
        hosts += 1
        // A name that an attacker's DNS points to 127.0.0.1 is how web pages reach local servers.
        if (!localHost.test(value)) refuse('The Host header has to be localhost, 127.0.0.1 or [::1].')
        break
      case 'sec-fetch-site':
        if (value.toLowerCase().includes('cross-site')) refuse('This one was made by a page of another site.')
        break
      case 'forwarded':
      case 'via':
      case 'x-real-ip':
        refuse('This one came through a proxy.')
        break
      default:
        if (name.startsWith('x-forwarded')) refuse('This one came through a proxy.')
    }
  }
  if (hosts !== 1) refuse('It needs one Host header.')
}

function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.')
}

function refuse(why: string): never {
  throw new RegistryError('auth.request_not_local', {
    detail: `Authentication is off, so only requests made on this machine are answered. ${why}`,
  })
}
