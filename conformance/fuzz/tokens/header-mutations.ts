/** Headers changed member by member: algorithms, types and keys that a verifier must not take from a token (RFC 8725 §3.1, §3.10). */
import type { Random } from '../random.ts'

/** The first four are ways to say that nothing was signed. */
export const ALGS = [
  'none',
  'None',
  'nOnE',
  '',
  'HS256',
  'hs256',
  'ES384',
  'ES256K',
  'PS256',
  'RS512',
  'es256',
  'ES256 ',
  'EdDSA',
  'Ed25519',
  'Ed448',
  'RS256',
  'ES256',
  'RSA1_5',
  'dir',
  'toString',
  '__proto__',
]
const TYPES = [
  'at+jwt',
  'AT+JWT',
  'application/at+jwt',
  'Application/At+Jwt',
  'application/application/at+jwt',
  'JWT',
  'jwt',
  'dpop+jwt',
  'manage+jwt',
  'statuslist+jwt',
  'at+jwt ',
  ' at+jwt',
  'at-jwt',
  'at+jwt;x=1',
  '',
  'ａt+jwt',
  'at+JWT\u0000',
]
export const KIDS = [
  'fuzz-es256',
  'fuzz-eddsa',
  'fuzz-rs256',
  '',
  'x',
  '../../dev/null',
  "' or 1=1",
  'constructor',
  '__proto__',
  'x'.repeat(256),
  'x'.repeat(257),
  '\u0000',
  'https://evil.example/keys',
]

/** Header members beside or instead of the good ones. */
export function mutateHeader(
  header: Readonly<Record<string, unknown>>,
  random: Random,
  jwk: Readonly<Record<string, string>>,
): { readonly header: Record<string, unknown>; readonly by: string } {
  const changes: readonly (readonly [string, unknown])[] = [
    ['alg', random.pick(ALGS)],
    ['typ', random.pick(TYPES)],
    ['kid', random.pick(KIDS)],
    ['kid', undefined],
    ['typ', undefined],
    ['alg', undefined],
    [
      random.pick(['alg', 'typ', 'kid']),
      random.pick<unknown>([null, 1, true, [], {}, ['ES256'], '']),
    ],
    ['crit', random.pick<unknown>([[], ['exp'], ['b64'], ['alg'], 'b64', null, {}])],
    ['b64', random.pick<unknown>([false, true, null])],
    ['jwk', jwk],
    ['jku', 'https://evil.example/keys'],
    ['x5u', 'https://evil.example/cert'],
    ['x5c', ['MIIB']],
    ['x5t#S256', 'x'],
    ['zip', 'DEF'],
    ['enc', 'A256GCM'],
    ['cty', random.pick(['JWT', 'at+jwt'])],
    ['iss', 'x'],
    [
      random.pick(['constructor', 'toString', 'x', '', 'hasOwnProperty']),
      random.pick<unknown>([1, {}, 'x']),
    ],
  ]
  const [name, value] = random.pick(changes)
  const copy: Record<string, unknown> = { ...header }
  if (value === undefined) delete copy[name]
  else copy[name] = value
  return { header: copy, by: `header-${name}` }
}
