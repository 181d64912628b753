import { describe, it } from 'vitest'
import type { AuditedTx, Db, HousekeepingTx, Reader } from '../db/handles.ts'
import type { Actor } from './actor.ts'
import { audited, changed, unchanged } from './audited.ts'

/**
 * What must not compile. The compiler is the test: `pnpm check types` fails when one of these lines begins to compile,
 * because then its `@ts-expect-error` expects nothing. None of this runs.
 */
declare const db: Db
declare const actor: Actor
declare const reader: Reader
declare const auditedTx: AuditedTx
declare const housekeepingTx: HousekeepingTx

const never = () => {
  // @ts-expect-error -- an audited function has to say whether it changed something
  void audited(db, actor, async () => 'forgotten')
  // @ts-expect-error -- a change is recorded with at least one event
  void audited(db, actor, async () => changed('nothing recorded'))
  void audited(db, actor, async () => unchanged('fine'))

  // @ts-expect-error -- a reader cannot write
  void reader.insertInto
  // @ts-expect-error -- nobody but the append path writes the log, whatever the handle
  void auditedTx.insertInto('audit_log')
  // @ts-expect-error -- nor the heads of its streams
  void auditedTx.updateTable('registry.audit_streams')
  void auditedTx.updateTable('tenants')
  void auditedTx.selectFrom('audit_log')

  // @ts-expect-error -- what owes no event cannot touch a tenant
  void housekeepingTx.updateTable('tenants')
  // @ts-expect-error -- and is no handle for what needs one that does
  const notAudited: AuditedTx = housekeepingTx
  // @ts-expect-error -- neither is the database itself
  const notATransaction: AuditedTx = db
  const reads: Reader[] = [db, auditedTx, housekeepingTx]
  return [notAudited, notATransaction, reads]
}

describe('the handles', () => {
  it('say in their types what a function may do', ({ expect }) => {
    expect(never).toBeTypeOf('function')
  })
})
