import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

/** Tests that replace modules of others, which only a worker of their own undoes. */
const ALONE = [
  'test/oauth/certificate-verifier.test.ts',
  'test/keys/pkcs11-keeper.test.ts',
  'test/keys/sealed-file.test.ts',
]

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
          exclude: ALONE,
          // Files of one worker share its modules: a third of the time was loading the same server again for each.
          isolate: false,
          setupFiles: ['test/support/undo-fakes.ts'],
        },
      },
      { extends: true, test: { ...shared, name: 'alone', include: ALONE } },
      {
        extends: true,
        test: {
          ...shared,
          name: 'conformance',
          include: ['conformance/{suite,fuzz/live}/**/*.test.ts'],
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
          // Programs of others start slowly where every core is busy.
          testTimeout: 60_000,
          include: ['conformance/interop/**/*.test.ts'],
          globalSetup: ['test/support/interop-target.ts'],
          setupFiles: ['conformance/interop/trust.ts'],
        },
      },
    ],
  },
})
