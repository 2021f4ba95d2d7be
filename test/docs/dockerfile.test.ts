/** The image: what its Dockerfile says, and that its steps really make a server that runs. */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { type Instruction, isIgnored, readStages } from '../../tools/dockerfile-stages.ts'

const root = resolve(import.meta.dirname, '../..')
const text = readFileSync(join(root, 'Dockerfile'), 'utf8')
const patterns = readFileSync(join(root, '.dockerignore'), 'utf8')
const stages = readStages(text)
const image = stages.at(-1)!

function all<Kind extends Instruction['kind']>(kind: Kind) {
  return image.instructions.filter(
    (instruction): instruction is Instruction & { readonly kind: Kind } =>
      instruction.kind === kind,
  )
}

describe('the Dockerfile', () => {
  test('has several stages on one slim base, pinned to the version this project runs on', () => {
    const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    expect(stages.length).toBeGreaterThan(1)
    expect(new Set(stages.map(({ base }) => base))).toEqual(
      new Set([`node:${devDependencies.node}-slim`]),
    )
  })

  test('ends as a user that is not root', () => {
    expect(all('user').map(({ value }) => value)).toEqual(['1000:1000'])
  })

  test('gives that user the data folder and nothing else, as a volume', () => {
    const owned = all('copy').filter(({ owner }) => owner !== undefined)
    expect(owned.map(({ target, owner }) => [target, owner])).toEqual([['/data', '1000:1000']])
    expect(all('volume').map(({ value }) => value)).toEqual(['/data'])
  })

  test('looks at the health of the management port, with node alone', () => {
    const argv = all('healthcheck')[0]?.argv ?? []
    expect(argv[0]).toBe('node')
    expect(argv.join(' ')).toContain(':8461/livez')
  })

  test('serves from the sources, without a shell in between', () => {
    expect(all('entrypoint')[0]?.argv).toEqual([
      'node',
      '--conditions=actchain:source',
      'server/cli/actchain.ts',
      'serve',
    ])
    expect(all('run')).toEqual([])
  })

  test('publishes the public port only, and holds no secret', () => {
    expect(all('expose').map(({ value }) => value)).toEqual(['8460'])
    const names = all('env').flatMap(({ variables }) => Object.keys(variables))
    expect(names.filter((name) => /SECRET|KEY|TOKEN/.test(name))).toEqual([])
  })
})

describe('the build context', () => {
  const files = ['server', 'keys', 'lib', 'test', 'docs', 'tenants', '.ci']
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(root, join(entry.parentPath, entry.name))),
    )
    .concat(['package.json', '.env', '.actchain/key-secret', 'node_modules/koa/package.json'])
  const inside = files.filter((file) => !isIgnored(patterns, file))

  test('is what the server needs', () => {
    expect(inside).toContain('server/main.ts')
    expect(inside).toContain('lib/src/index.ts')
    // `actchain init` writes what is in the starter.
    const isKnown = /^(server|keys|lib\/src)\/.*\.ts$|^server\/cli\/starter\//
    expect(inside.filter((file) => !isKnown.test(file)).sort()).toEqual([
      'lib/package.json',
      'package.json',
    ])
  })
})

describe('a Dockerfile this reader cannot follow', () => {
  test.each([
    'RUN x',
    'FROM node',
    'FROM node AS a\nADD x y',
    'FROM node AS a\nENTRYPOINT node x',
    'FROM node AS a\nENV A',
  ])('is refused: %s', (dockerfile) => {
    expect(() => readStages(dockerfile)).toThrow()
  })
})

test('the steps make a tree that starts in production mode, is healthy, and ends in order', {
  timeout: 180_000,
}, async () => {
  const args = ['--conditions=actchain:source', join(root, 'tools/dockerfile.ts')]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root })
  expect(stdout).toContain('ends in order')
})
