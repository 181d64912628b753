import { sql } from 'kysely'

/**
 * To be selected in a transaction: its commit waits for the disk, whatever `synchronous_commit` is set to. What waits
 * for more than that already, such as for replicas, goes on to.
 */
export const durably = sql<string | null>`case when current_setting('synchronous_commit') in ('off', 'local')
  then set_config('synchronous_commit', 'on', true) end`
