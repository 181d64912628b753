import { readHistory } from './history.ts'
import { judge } from './judgement.ts'
import { applyStep, revertStep } from './step.ts'
import type { Session } from './step.ts'

/**
 * Runs the steps of these migrations that are still to be done. Order and selection are umzug's; what a step is, and
 * when it counts as done, is ours.
 */
export async function runSteps(session: Session, direction: 'up' | 'down', names: readonly string[]): Promise<void> {
  if (names.length === 0) return
  const migrator = await umzug(session)
  // Another process may have done some of them meanwhile.
  const which = { migrations: [...names], rerun: 'SKIP' as const }
  await migrator[direction](which).catch((error: unknown) => {
    throw error instanceof Error && error.cause !== undefined ? error.cause : error
  })
}

async function umzug(session: Session) {
  // Loaded only to migrate: it brings a command line of its own, and the server reads nothing but versions.
  const { Umzug } = await import('umzug')
  return new Umzug({
    context: session,
    logger: undefined,
    migrations: session.settings.migrations.map((migration) => ({
      name: migration.name,
      up: async ({ context }: { context: Session }) => applyStep(context, migration),
      down: async ({ context }: { context: Session }) => revertStep(context, migration),
    })),
    storage: {
      executed: async ({ context }: { context: Session }) => {
        const history = await readHistory(context.client)
        const rows = history.kind === 'ours' ? history.rows : []
        const pending = new Set(judge(context.settings.migrations, rows).pending)
        return context.settings.migrations.filter((migration) => !pending.has(migration)).map(({ name }) => name)
      },
      // The step has written its row in its own transaction.
      logMigration: async () => undefined,
      unlogMigration: async () => undefined,
    },
  })
}
