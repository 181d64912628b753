import { defineConfig } from 'vitest/config'

const conditions = ['@breakpilot/source']

// The container images, really built and run: `pnpm test:images`. Apart from the other tests, because it needs Docker.
export default defineConfig({
  // From the sources, as in vitest.config.ts: in a fresh clone nothing is built.
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name: 'images',
    reporters: ['default', './test/summary-reporter.ts'],
    include: ['test/images/**/*.test.ts'],
    globalSetup: ['./test/images/build-images.ts'],
    // Each file starts several containers: one after the other is the fastest on a small machine.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
