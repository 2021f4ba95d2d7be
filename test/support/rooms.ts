/** The import rules: rooms of the house, whom each may import, and which packages. docs/architecture.md shows this table. */

export interface Room {
  /** Path prefix, longest match wins. */
  readonly at: string
  /** Rooms of this project, or single files of one. */
  readonly rooms: readonly string[]
  readonly packages: readonly string[]
}

export const EVERYTHING = '*'
export const ROOMS: readonly Room[] = [
  { at: 'lib/src', rooms: [], packages: ['jose'] },
  {
    at: 'keys',
    rooms: [],
    packages: ['jose', '@peculiar/x509', 'reflect-metadata', 'pkcs11js', 'node:'],
  },
  { at: 'server/core', rooms: ['lib/src'], packages: [] },
  {
    at: 'server/tenants',
    rooms: ['server/core', 'server/policy', 'server/use-cases/ports.ts'],
    packages: ['yaml', 'zod', 'node:'],
  },
  {
    at: 'server/policy',
    rooms: ['server/core'],
    packages: ['@cedar-policy/cedar-wasm', 'lru-cache', 'node:'],
  },
  {
    at: 'server/audit',
    rooms: [
      'server/use-cases/ports.ts',
      'server/use-cases/audit-log.ts',
      'server/core',
      'lib/src',
      'keys',
      // The search index is one more LMDB environment.
      'server/store/embedded/environment.ts',
      'server/store/embedded/boot-mark.ts',
    ],
    packages: ['lru-cache', 'node:'],
  },
  { at: 'server/fetch', rooms: [], packages: ['undici', 'node:'] },
  {
    at: 'server/telemetry',
    rooms: ['server/use-cases', 'server/core'],
    packages: [
      'pino',
      'prom-client',
      '@opentelemetry/api',
      '@opentelemetry/sdk-trace',
      '@opentelemetry/resources',
      '@opentelemetry/exporter-trace-otlp-http',
      'node:',
    ],
  },
  {
    // A process of its own, so it reads its own settings.
    at: 'server/dev-idp',
    rooms: ['server/config.ts', 'server/development-keys.ts'],
    packages: ['oidc-provider', 'koa', 'jose', 'node:'],
  },
  { at: 'server/use-cases', rooms: ['server/core', 'lib/src'], packages: [] },
  {
    at: 'server/store/embedded',
    rooms: ['server/use-cases/ports.ts', 'server/use-cases/task-store.ts', 'server/core'],
    packages: ['lmdb', 'node:'],
  },
  {
    at: 'server/oauth',
    rooms: ['server/use-cases', 'server/core', 'keys', 'lib/src', 'server/telemetry'],
    packages: ['oidc-provider', 'jose', 'lru-cache', 'node:'],
  },
  {
    at: 'server/http',
    rooms: ['server/use-cases', 'server/core', 'lib/src', 'server/telemetry'],
    packages: ['koa', 'zod', 'node:'],
  },
  {
    at: 'server/cli',
    rooms: [
      'server/core',
      'lib/src',
      'server/tenants',
      'server/policy',
      'server/audit',
      'server/config.ts',
      'server/main.ts',
      'server/start-refused.ts',
      'server/development-keys.ts',
    ],
    packages: ['commander', 'node:'],
  },
  { at: 'server', rooms: [EVERYTHING], packages: [EVERYTHING] },
  {
    at: 'conformance',
    rooms: [],
    packages: ['commander', 'yaml', 'ajv', 'jose', 'fast-jwt', 'vitest', 'fast-check', 'node:'],
  },
  // The verifier as its users get it: a package, not a room.
  {
    at: 'conformance/fuzz',
    rooms: ['conformance'],
    packages: ['@actchain/verifier', 'commander', 'fast-check', 'vitest', 'node:'],
  },
  { at: 'conformance/interop', rooms: ['conformance'], packages: [EVERYTHING] },
  {
    at: 'examples',
    rooms: [],
    packages: ['@actchain/verifier', 'openid-client', 'koa', 'jose', 'node:'],
  },
  { at: 'test', rooms: [EVERYTHING], packages: [EVERYTHING] },
  { at: 'bench', rooms: [EVERYTHING], packages: [EVERYTHING] },
  { at: 'tools', rooms: [EVERYTHING], packages: [EVERYTHING] },
]
