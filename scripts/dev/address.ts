import { portIsFree } from '../postgres/server.ts'

/** Where the server will listen, taken apart. */
export interface Address {
  addr: string
  host: string | undefined
  port: number
  /** Where a program on this machine reaches it. */
  url: string
}

/** Takes `ADDR` apart: `:8090`, `127.0.0.1:8090`, `[::1]:8090`. */
export function parseAddress(addr: string): Address {
  const [, host = '', port = ''] = /^(.*):(\d{1,5})$/.exec(addr) ?? []
  if (!port || Number(port) > 65_535) throw new Error(`ADDR is "${addr}"; it has to look like :8090 or 127.0.0.1:8090`)
  const everywhere = ['', '0.0.0.0', '[::]'].includes(host)
  return {
    addr,
    host: host ? host.replace(/^\[(.*)\]$/, '$1') : undefined,
    port: Number(port),
    url: `http://${everywhere ? 'localhost' : host}:${Number(port)}`,
  }
}

/** Refuses an address that another program listens on, before anything is started. */
export async function expectFree({ addr, host, port }: Address): Promise<void> {
  // Also on the loop-back address: some systems let two programs listen, one there and one everywhere.
  const free = (await portIsFree(port, host)) && (host !== undefined || (await portIsFree(port, '127.0.0.1')))
  if (free) return
  throw new Error(`another program listens on ${addr}: stop it, or choose another address, such as ADDR=:${port + 1}`)
}
