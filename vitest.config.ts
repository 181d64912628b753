import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

// Tests run from the sources: no build, the same condition that Node and tsc use.
const conditions = ['@breakpilot/source']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  // Where vitest runs the global setup.
  environments: { __vitest__: { resolve: { conditions } } },
  test: {
    reporters: ['default', './test/summary-reporter.ts'],
    // Most files wait for PostgreSQL, processes and clocks: on two cores, where vitest takes one worker, half would idle.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'scripts/**/*.test.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/**/*.test.ts'],
          // They need Docker, and have a configuration of their own.
          exclude: ['**/node_modules/**', 'test/images/**'],
          globalSetup: ['./test/postgres/global-setup.ts'],
          // Hundreds of processes are started from the sources: what one has compiled the next one reads.
          env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/node') },
          testTimeout: 60_000,
          hookTimeout: 120_000,
          // What happens at once on a machine of one's own takes its time on one that is busy.
          expect: { poll: { timeout: 20_000 } },
        },
      },
    ],
  },
})
