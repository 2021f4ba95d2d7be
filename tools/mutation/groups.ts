/** What is mutated, in four groups, and the fast tests that have to notice. */

export interface MutationGroup {
  readonly name: string
  /** What it decides, for the help text. */
  readonly text: string
  readonly files: readonly string[]
  readonly tests: readonly string[]
}

const core = (...names: readonly string[]) => names.map((name) => `server/core/${name}.ts`)
const policy = (...names: readonly string[]) => names.map((name) => `server/policy/${name}.ts`)
const lib = (...names: readonly string[]) => names.map((name) => `lib/src/${name}.ts`)
const tests = (folder: string, ...names: readonly string[]) =>
  names.map((name) => `test/${folder}/${name}.test.ts`)

export const GROUPS: readonly MutationGroup[] = [
  {
    name: 'attenuate',
    text: 'whose hop it is, and what is left of the authority it came from',
    files: core(
      'attenuate',
      'ceiling',
      'way-in',
      'may-act',
      'own-subject',
      'live-actors',
      'open-root',
      'target',
      'scope-request',
      'delegated-claims',
    ),
    tests: tests(
      'core',
      'attenuate',
      'attenuate-rules',
      'ceiling',
      'way-in',
      'may-act',
      'own-subject',
      'live-actors',
      'open-root',
      'target',
      'scope-request',
      'delegated-claims',
    ),
  },
  {
    name: 'decide',
    text: 'the platform’s guards, the tenant’s rules, and the question the engine is asked',
    files: [
      ...core('decide', 'guards', 'rules'),
      ...policy('rules', 'question', 'given-entities', 'slices'),
    ],
    tests: [
      ...tests('core', 'decide', 'decide-rules', 'guards', 'rules', 'attenuate', 'attenuate-rules'),
      ...tests('policy', 'asked-engine', 'rules', 'needed-facts', 'hostile-questions'),
    ],
  },
  {
    name: 'chain',
    text: 'what a token says of its hops: rules 1 to 5 of the format, and the report',
    files: lib('chain', 'actors', 'bounds-form', 'scope', 'report'),
    tests: tests('lib', 'chain', 'scope', 'verifier'),
  },
  {
    name: 'verifier',
    text: 'everything else that accepts or refuses a token, a proof or a key',
    files: lib(
      'verifier',
      'access-token',
      'compact-jws',
      'base64url',
      'strict-json',
      'public-key',
      'key-set',
      'confirmation',
      'dpop',
      'replay',
      'presentation',
      'url',
      'text-cache',
      'options',
    ),
    tests: tests(
      'lib',
      'strict-json',
      'options',
      'key-set',
      'compact-jws',
      'token-forms',
      'replay',
      'challenge',
      'dpop',
      'verifier',
    ),
  },
]

/** The group that the environment names: Stryker’s and vitest’s own settings are read by processes we do not start ourselves. */
export function groupOf(env: NodeJS.ProcessEnv): MutationGroup {
  const name = env['MUTATION_GROUP']
  const group = GROUPS.find((known) => known.name === name)
  if (group === undefined)
    throw new Error(`MUTATION_GROUP is none of ${GROUPS.map((known) => known.name).join(', ')}`)
  return group
}
