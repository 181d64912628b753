import { type AuditPublisherOptions, settingsOf } from './options.ts'
import { AuditPublisher } from './publisher.ts'

export type { AuditPublisherOptions } from './options.ts'
export type { AuditPublisher } from './publisher.ts'
export { UnsentEventsError } from './unsent-events-error.ts'

/**
 * Publishes audit events in batches, without losing one or recording it twice while the registry cannot be reached. Make
 * one and share it; `close()` it at the end, before the process leaves.
 * @example
 *   const audit = createAuditPublisher({ client, onRefused: (event, error) => log.error({ event, error }) })
 *   await audit.publish({ action: 'report.opened', crud: 'r', actor: { id: user.id }, group: { id: tenantId } })
 *   process.once('SIGTERM', async () => await audit.close())
 */
export function createAuditPublisher(options: AuditPublisherOptions): AuditPublisher {
  return new AuditPublisher(settingsOf(options))
}
