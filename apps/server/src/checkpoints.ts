import {
  checkpointRecords,
  type Db,
  newSigningKeyText,
  parseSigningKey,
  type SigningKey,
  takeCheckpoints,
} from '@breakpilot/tenant-core'
import type { Logger } from 'pino'

/** Takes checkpoints of the audit log and writes them to the log stream. Answers how many. */
export type TakeCheckpoints = (signal?: AbortSignal) => Promise<number>

export function checkpointTaker(db: Db, configured: SigningKey | undefined, log: Logger): TakeCheckpoints {
  const key = configured ?? shortLivedKey(log)
  // Whatever LOG_LEVEL says: what is not there tells nobody that the database was changed.
  const always = log.child({}, { level: 'info', redact: [] })
  return async (signal) =>
    await takeCheckpoints(
      db,
      key,
      (checkpoint, heads) => {
        for (const record of checkpointRecords(checkpoint, heads)) always.info(record, record.event)
      },
      signal,
    )
}

/** Its public half stays in the database, so what it signed verifies; that it was ours, nobody can tell. */
function shortLivedKey(log: Logger): SigningKey {
  log.warn('AUDIT_SIGNING_KEY_FILE is not set: checkpoints of the audit log are signed by a key of this process alone')
  return parseSigningKey(newSigningKeyText())
}
