import { isIP, isIPv4 } from 'node:net'
import { type RawBuilder, type SqlBool, sql } from 'kysely'
import type { Sight } from '../sight.ts'
import { own, shows } from './shown-columns.ts'

/**
 * An address or a network in CIDR notation, in the form that PostgreSQL reads; undefined when it is neither. What comes
 * after the network's own bits is left out of account. An IPv4 address in IPv6 clothes is the IPv4 address.
 */
export function networkOf(text: string): string | undefined {
  const [, spelled = '', prefix] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const address = spelled.replace(mapped, '')
  // A zone is a name on one machine, and says nothing on another.
  if (isIP(address) === 0 || address.includes('%')) return undefined
  const bits = isIPv4(address) ? 32 : 128
  const length = prefix === undefined ? bits : Number(prefix) - (address === spelled ? 0 : 96)
  return length >= 0 && length <= bits ? `${address}/${length}` : undefined
}

const mapped = /^::ffff:(?=\d+\.)/i

/** PostgreSQL's own parser has an error for what is no address, so nothing else gets there. */
const octet = '(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])'
const v4 = `${octet}(\\.${octet}){3}`
const group = '[0-9a-f]{1,4}'

/** Eight groups, or fewer with `::` in the place of one or more; the last two may be an IPv4 address. */
const v6 = [
  `(${group}:){7}${group}`,
  `(${group}:){6}${v4}`,
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((before) => {
    const head = before === 0 ? ':' : `(${group}:){${before}}`
    const after = 7 - before
    const groups = after === 0 ? '' : `|${group}(:${group}){0,${after - 1}}`
    const withV4 = after < 2 ? '' : `|(${group}:){0,${after - 2}}${v4}`
    return `${head}:(${groups.slice(1)}${withV4})${after === 0 ? '' : '?'}`
  }),
]
  .map((each) => `(${each})`)
  .join('|')

const address = `^(${v4}|${v6})$`

/**
 * Whether an event came from an address, however that is spelled, or from a network; what is neither has to stand there
 * as it is. Of the registry's own events only the platform is shown where they came from.
 */
export function cameFrom(sight: Sight, source: string): RawBuilder<SqlBool> {
  const network = networkOf(source)
  if (network === undefined) return shows(sight, 'source_ip', source)
  const holds = inNetwork(network)
  return sight.kind === 'platform' ? holds : sql`(product <> ${own} and ${holds})`
}

/**
 * Whether what stands in `source_ip` is an address in the network. The log keeps it as it is spelled, whatever that is:
 * what is no address is in no network.
 * @param network as {@link networkOf} has it
 */
function inNetwork(network: string): RawBuilder<SqlBool> {
  const bare = sql`regexp_replace(split_part(source_ip, '%', 1), '^::ffff:(?=[0-9]+\\.)', '', 'i')`
  return sql`(case when ${bare} ~* ${sql.lit(address)} then ${bare}::inet <<= ${network}::inet else false end)`
}
