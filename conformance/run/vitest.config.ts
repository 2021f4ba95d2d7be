/** The suite as the runner runs it: on the servers of a profile, and nothing else. */
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'
import { Progress } from './progress.ts'

export default defineConfig({
  root: resolve(import.meta.dirname, '..'),
  test: {
    name: 'conformance',
    reporters: ['json', new Progress()],
    environment: 'node',
    include: ['suite/**/*.test.ts'],
    globalSetup: ['suite/vector-site.ts', 'suite/provide-documents.ts'],
    // Files share a worker's modules: each takes what it needs from the servers, and most of a run is loading.
    isolate: false,
    pool: 'threads',
    maxWorkers: availableParallelism() + 1,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
