import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

const shared = {
  environment: 'node',
  testTimeout: 30_000,
  hookTimeout: 60_000,
  execArgv: ['--conditions=actchain:source'],
}

export default defineConfig({
  resolve: { conditions: ['actchain:source'] },
  ssr: {
    resolve: {
      conditions: ['actchain:source', 'node'],
      externalConditions: ['actchain:source', 'node'],
    },
  },
  test: {
    // One more than cores: a quarter of the time a test waits, for a clock, a disk or a process of ours.
    maxWorkers: availableParallelism() + 1,
    projects: [
      {
        extends: true,
        test: {
          ...shared,
          name: 'unit',
          include: ['test/**/*.test.ts', 'conformance/{*,reader/*,vectors/*,fuzz/*,run/*}.test.ts'],
        },
      },
      {
        extends: true,
        test: {
          ...shared,
          name: 'conformance',
          include: ['conformance/suite/**/*.test.ts'],
          // Ours are started where CONFORMANCE_PROFILE names no others.
          globalSetup: [
            'test/support/conformance-target.ts',
            'conformance/suite/vector-site.ts',
            'conformance/suite/provide-documents.ts',
          ],
        },
      },
      {
        extends: true,
        test: {
          ...shared,
          name: 'interop',
          include: ['conformance/interop/**/*.test.ts'],
          globalSetup: ['test/support/interop-target.ts'],
          setupFiles: ['conformance/interop/trust.ts'],
        },
      },
    ],
  },
})
