/**
 * Inputs made to cost more than they are worth, with the milliseconds each may take at most. All are signed by the right
 * key where a signature is looked at, so that nothing is refused earlier than an attacker could arrange.
 */
import type { Presentation } from '../lib/src/presentation.ts'
import { ID_TOKEN } from '../test/support/agent-client.ts'
import { aProof, chainClaims, ISSUER, signText } from '../test/support/chain-token.ts'
import { encode, payloadOf, signJwt } from '../test/support/signing.ts'
import { type Presenter, URL_CALLED } from './presentations.ts'
import type { TenantKeys } from './tenant.ts'

export type Family = 'malformed_chain' | 'encrypted' | 'long_text' | 'oversize'

/** What is too large has no figure: it is refused by its length, unread. */
export const MOST_MILLISECONDS: Readonly<Record<Exclude<Family, 'oversize'>, number>> = {
  malformed_chain: 5,
  encrypted: 10,
  long_text: 5,
}

export interface HostilePresentation {
  readonly family: Family
  readonly name: string
  readonly shown: Presentation
}

/** At the token endpoint: what the form holds beside an honest client's assertion, and headers beside its proof. */
export interface HostileForm {
  readonly family: Family
  readonly name: string
  readonly form: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
}

const nested = (levels: number): string =>
  `${'{"sub":"a","act":'.repeat(levels)}{}${'}'.repeat(levels)}`

const ACTS: readonly (readonly [string, string])[] = [
  ['act_list', '[]'],
  ['act_string', '"writer"'],
  ['act_null', 'null'],
  ['act_number', '7'],
  ['act_without_sub', `{"iss":"${ISSUER}"}`],
  ['act_inner_string', `{"iss":"${ISSUER}","sub":"writer","act":"planner"}`],
  ['act_23_levels', nested(22)],
  ['act_800_levels', nested(800)],
  ['act_10000_levels', nested(10_000)],
  ['act_sub_8kb', `{"iss":"${ISSUER}","sub":"${'x'.repeat(8192)}"}`],
  ['act_sub_1mb', `{"iss":"${ISSUER}","sub":"${'x'.repeat(1 << 20)}"}`],
]

const PBES2 = { alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 2 ** 31, p2s: 'AAAA' }
const ENCRYPTED: readonly (readonly [string, string])[] = [
  ['pbes2_2_31_rounds', `${encode(PBES2)}.AAAA.AAAA.AAAA.AAAA`],
  ['dir_a256gcm', `${encode({ alg: 'dir', enc: 'A256GCM' })}..AAAA.AAAA.AAAA`],
  ['zip_bomb', `${encode({ ...PBES2, zip: 'DEF' })}.AA.AA.${'A'.repeat(12_000)}.AA`],
  ['five_part_nested_jws', `${encode({ alg: 'RSA-OAEP', cty: 'JWT' })}.AA.AA.${encode({})}.AA`],
]

/** The claims with `act` as written, well formed or not. */
function withAct(claims: Readonly<Record<string, unknown>>, act: string): string {
  return JSON.stringify({ ...claims, act: 0 }).replace('"act":0', () => `"act":${act}`)
}

const HEADER = '{"alg":"ES256","typ":"at+jwt","kid":"k1"}'
const LONG = 100_000

/** At the verifier. */
export async function hostilePresentations(
  presenter: Presenter,
): Promise<readonly HostilePresentation[]> {
  const { issuerKey, agentKey } = presenter
  const [good = ''] = await presenter.tokens(3, 1)
  const [bound] = await presenter.withProofs(3, 1)
  if (bound === undefined) throw new Error('nothing was made')
  const shown = (token: string): Presentation => presenter.withCertificate(token)
  const signed = async (claims: string): Promise<Presentation> =>
    shown(await signText(issuerKey, HEADER, claims))
  const honest = chainClaims({ cnf: payloadOf(good)['cnf'] })
  const malformed = ACTS.map(async ([name, act]) => ({
    family: 'malformed_chain' as const,
    name,
    shown: await signed(withAct(honest, act)),
  }))
  const longProof = await aProof(agentKey, {
    token: bound.token ?? '',
    claims: { htu: `${URL_CALLED}/${'%61'.repeat(1500)}` },
  })
  const longScope = JSON.stringify({ ...honest, scope: 'a '.repeat(4000) })
  return [
    ...(await Promise.all(malformed)),
    ...ENCRYPTED.map(([name, token]) => ({
      family: 'encrypted' as const,
      name,
      shown: shown(token),
    })),
    ...[
      { name: 'scope_8kb', shown: await signed(longScope) },
      { name: 'token_of_dots_100kb', shown: shown('.'.repeat(LONG)) },
      { name: 'token_padded_100kb', shown: shown(`${good}${'='.repeat(LONG)}`) },
      { name: 'proof_100kb', shown: { ...bound, proof: 'a'.repeat(LONG) } },
      { name: 'proof_url_escapes', shown: { ...bound, proof: longProof } },
      { name: 'url_100kb', shown: { ...bound, url: `${URL_CALLED}?${'%2e'.repeat(LONG / 3)}` } },
    ].map((one) => ({ family: 'long_text' as const, ...one })),
    ...[
      ['token_64kb', 1 << 16],
      ['token_1mb', 1 << 20],
      ['token_50mb', 50 << 20],
    ].map(([name, length]) => ({
      family: 'oversize' as const,
      name: String(name),
      shown: shown('a'.repeat(Number(length))),
    })),
  ]
}

/** At the token endpoint, from agent a1, which sends an honest assertion and an honest proof. */
export function hostileForms({ idp }: TenantKeys, idToken: string): readonly HostileForm[] {
  const subject = (token: string): Readonly<Record<string, string>> => ({
    subject_token: token,
    subject_token_type: ID_TOKEN,
  })
  const claims = payloadOf(idToken)
  const header = { alg: 'ES256', kid: 'idp-1', typ: 'JWT' }
  const honest = subject(idToken)
  return [
    ...ACTS.map(([name, act]) => ({
      family: 'malformed_chain' as const,
      name,
      form: subject(signJwt(idp, header, withAct(claims, act))),
    })),
    ...ENCRYPTED.map(([name, token]) => ({
      family: 'encrypted' as const,
      name,
      form: subject(token),
    })),
    ...[
      { name: 'scope_40kb', form: { ...honest, scope: 'a '.repeat(20_000) } },
      { name: 'scope_100kb', form: { ...honest, scope: 'a '.repeat(LONG / 2) } },
      {
        name: 'resource_40kb',
        form: { ...honest, resource: `https://a.example/${'a'.repeat(40_000)}` },
      },
      { name: 'purpose_40kb', form: { ...honest, purpose: 'p'.repeat(40_000) } },
      { name: 'audience_40kb', form: { ...honest, audience: 'a-'.repeat(20_000) } },
      { name: 'user_agent_100kb', form: honest, headers: { 'user-agent': '('.repeat(LONG) } },
      { name: 'parameters_2000', form: { ...honest, ...parameters(2000) } },
    ].map((one) => ({ family: 'long_text' as const, ...one })),
    { family: 'oversize', name: 'token_64kb', form: subject('a'.repeat(1 << 16)) },
    { family: 'oversize', name: 'token_1mb', form: subject('a'.repeat(1 << 20)) },
  ]
}

function parameters(count: number): Readonly<Record<string, string>> {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`n${at}`, '1']))
}
