import { Client, DatabaseError } from 'pg'

/** What a connection is opened with, by the names of PostgreSQL's own settings. */
export type SessionSettings = Readonly<Record<string, string>>

/** What every pooler lets its clients say, and keeps for each of them: as PostgreSQL spells it, or it is set each time. */
const everywhere: SessionSettings = { DateStyle: 'ISO, MDY', TimeZone: 'UTC', standard_conforming_strings: 'on' }

/**
 * What our SQL, and who reads its answers, go by, whatever the role or the database has for itself. Said as the
 * connection is opened, it costs nothing, and nobody else's session gets to know of it.
 */
const direct: SessionSettings = {
  ...everywhere,
  search_path: 'public',
  IntervalStyle: 'postgres',
  bytea_output: 'hex',
  extra_float_digits: '1',
  default_transaction_isolation: 'read committed',
}

/** How the connections of a pool are opened. */
export class Sessions {
  readonly Client: typeof Client
  #settings = direct

  constructor() {
    const settings = () => this.#settings
    this.Client = class extends Client {
      /** What pg opens a connection with. Its type does not know of it. */
      getStartupConf(): object {
        const ofPg: unknown = Reflect.get(Client.prototype, 'getStartupConf')
        return { ...(typeof ofPg === 'function' && (ofPg.call(this) as object)), ...settings() }
      }
    }
  }

  /** Whether an error is that of a pooler which refuses some of them; from then on it is asked for fewer. */
  yieldTo(error: unknown): boolean {
    if (!(error instanceof DatabaseError) || error.code !== '08P01') return false
    this.#settings = everywhere
    return true
  }
}
