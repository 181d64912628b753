import { isIPv4, isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { AuthMode } from './auth-config.ts'

/** One socket to open. Without a host: every interface of the machine. */
export interface ListenAddress {
  readonly host?: string
  readonly port: number
}

const portMax = 65_535

/**
 * Says what a server has to listen on. Without authentication that is the loopback interface alone, whatever host
 * `addr` names: IPv4, and IPv6 where the machine has it. Port 0 (any free one) then means IPv4 only, since two sockets
 * would get two different ports.
 * @throws {Error} with a one-line message when `addr` is not `:port`, `host:port` or `[ipv6]:port`.
 */
export function listenAddresses(mode: AuthMode, addr: string): readonly ListenAddress[] {
  const { host, port } = parseAddr(addr)
  if (mode === 'oidc') return [host === '' ? { port } : { host, port }]
  const addresses = [{ host: '127.0.0.1', port }]
  if (port !== 0 && hasIpv6Loopback()) addresses.push({ host: '::1', port })
  return addresses
}

function parseAddr(addr: string): { host: string; port: number } {
  const [, bracketed, plain = '', digits] = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(addr) ?? []
  const port = Number(digits)
  const hostIsGood = bracketed === undefined ? plain === '' || isHost(plain) : isIPv6(bracketed)
  if (digits === undefined || port > portMax || !hostIsGood) {
    throw new Error(`ADDR has to look like ":8090", "127.0.0.1:8090" or "[::1]:8090", not ${JSON.stringify(addr)}`)
  }
  return { host: bracketed ?? plain, port }
}

function isHost(text: string): boolean {
  // Digits and dots alone are meant as an address: "127.1" would be looked up as a name otherwise.
  return isIPv4(text) || (/^[a-z\d](?:[a-z\d.-]*[a-z\d])?$/i.test(text) && !/^[\d.]+$/.test(text))
}

function hasIpv6Loopback(): boolean {
  return Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'))
}
