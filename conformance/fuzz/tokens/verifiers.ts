/** The verifier under test, as resource servers get it: one for each setting, with clock, keys and lists of the fuzzer. */
import { deflateSync } from 'node:zlib'
import { createVerifier, type Verifier, type VerifierOptions } from '@actchain/verifier'
import { statusLists } from '@actchain/verifier/status'
import type { PublishedList } from '../../vectors/vector.ts'
import { JWKS, KEYS, signRaw } from '../issuer.ts'
import { VALID_BELOW } from './grammar.ts'
import {
  ISSUER,
  LIST_URI,
  NOW,
  SETTING_NAMES,
  SETTINGS,
  type Setting,
  type SettingName,
} from './input.ts'

/** Indexes in the list. From VALID_BELOW on 20 are invalid, the next 20 suspended, the rest valid. */
const LIST_SIZE = 8_192

function statuses(): Uint8Array {
  const bytes = new Uint8Array(LIST_SIZE / 4)
  for (let index = VALID_BELOW; index < VALID_BELOW + 40; index++) {
    const status = index < VALID_BELOW + 20 ? 1 : 2
    bytes[index >> 2] = (bytes[index >> 2] ?? 0) | (status << ((index & 3) * 2))
  }
  return bytes
}

/** Lists that the issuer of the fuzzer publishes. */
export const LISTS: readonly PublishedList[] = [
  {
    uri: LIST_URI,
    token: signRaw(
      KEYS.es256,
      JSON.stringify({ alg: 'ES256', typ: 'statuslist+jwt', kid: KEYS.es256.kid }),
      JSON.stringify({
        iss: ISSUER,
        sub: LIST_URI,
        iat: NOW,
        exp: NOW + 60,
        ttl: 5,
        gen: 'g1',
        seq: 1,
        status_list: { bits: 2, lst: deflateSync(statuses()).toString('base64url') },
      }),
    ),
  },
]

async function fetchList(url: string): Promise<Response> {
  const list = LISTS.find(({ uri }) => uri === url)
  if (list === undefined) return new Response(undefined, { status: 404 })
  return new Response(list.token, { headers: { 'content-type': 'application/statuslist+jwt' } })
}

function optionsOf(name: SettingName): VerifierOptions {
  const { configuration }: Setting = SETTINGS[name]
  const { issuer, audience, bearer, max_hops, clock_tolerance, algorithms, nonces } = configuration
  return {
    issuer,
    audience,
    jwks: JWKS,
    now: () => NOW,
    fetch: fetchList,
    revocation: configuration.revocation === 'required' ? statusLists({ feed: 'off' }) : 'off',
    // Few, so that tokens leave it again while a run lasts.
    cacheSize: 64,
    ...(bearer === undefined ? {} : { bearer }),
    ...(max_hops === undefined ? {} : { maxHops: max_hops }),
    ...(clock_tolerance === undefined ? {} : { clockTolerance: clock_tolerance }),
    ...(algorithms === undefined
      ? {}
      : { algorithms: algorithms as NonNullable<VerifierOptions['algorithms']> }),
    ...(nonces === undefined
      ? {}
      : {
          nonces: () => ({
            check: async (nonce) => ({ holds: nonces.some((good) => good === nonce) }),
          }),
        }),
  }
}

export type Verifiers = Readonly<Record<SettingName, Verifier>>

/** New ones, that have seen nothing: no token is remembered, no proof was used. */
export function newVerifiers(): Verifiers {
  return Object.fromEntries(
    SETTING_NAMES.map((name) => [name, createVerifier(optionsOf(name))]),
  ) as Record<SettingName, Verifier>
}

export function closeVerifiers(verifiers: Verifiers): void {
  for (const name of SETTING_NAMES) verifiers[name].close()
}
