import type { Kysely, Transaction } from 'kysely'
import type { Schema } from './schema.ts'

/**
 * Handles say what a function may do. All of them are the same thing at run time; their types keep a function that
 * only reads from writing, and one that writes from forgetting the audit event.
 */

/** The database itself: reads, and opens transactions. Only services take it. */
export type Db = Kysely<Schema>

/** May select, nothing else. Every handle is one. */
export type Reader = Pick<Db, 'selectFrom'>

declare const owesEvent: unique symbol
declare const keepsHouse: unique symbol

/** The tables that only the append path of the log writes. */
type LogTable = 'audit_log' | 'registry.audit_streams'
type RegistryTable = Extract<keyof Schema, `registry.${string}`>
type Writer<Tables extends keyof Schema> = Pick<
  Kysely<Pick<Schema, Tables>>,
  'insertInto' | 'updateTable' | 'deleteFrom'
>

/** A transaction that owes an audit event: only `audited()` makes one. Writes everything but the log itself. */
export type AuditedTx = Reader & Writer<Exclude<keyof Schema, LogTable>> & { readonly [owesEvent]: true }

/**
 * A transaction for the registry's own book-keeping, which no auditor reads: only `housekeeping()` and `pipelined()` make
 * one.
 */
export type HousekeepingTx = Reader & Writer<Exclude<RegistryTable, LogTable>> & { readonly [keepsHouse]: true }

/** Opens a handle: for the modules that make the handles, the append path, and nobody else. */
export function unwrap(tx: AuditedTx | HousekeepingTx | Reader): Transaction<Schema> {
  return tx as unknown as Transaction<Schema>
}
