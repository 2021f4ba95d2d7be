/** What is fuzzed: a presentation of a token to one of a few resource servers. It stands alone, and is kept as JSON. */
import type { Case, Configuration, PublishedList, VectorRequest } from '../../vectors/vector.ts'
import { JWKS, KEYS } from '../issuer.ts'

export interface TokenInput {
  readonly setting: SettingName
  /** What the route asks for. */
  readonly need: Pick<Configuration, 'required_scope' | 'handover' | 'delegated'>
  readonly token: string
  readonly request: VectorRequest
  /** The issuer's key signed exactly this header and payload. Where it did not, nobody may accept the token. */
  readonly signed: boolean
  /** Grammar alone made it: refusing it is a fault. */
  readonly good?: true
  /** How it was made: names of mutations. */
  readonly by: string
}

export const ISSUER = 'https://as.example.com/t/acme'
export const API = 'https://ledger.acme.example/api'
export const NOW = 1_795_316_410
export const CERTIFICATE = 'bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2'
export const NONCE = 'n-0S6_WzA2Mj'
export const LIST_URI = `${ISSUER}/status/g1-7`

export interface Setting {
  readonly configuration: Omit<Configuration, 'required_scope' | 'handover' | 'delegated'>
  /** What grammar binds its tokens to. */
  readonly binding: 'none' | 'dpop' | 'certificate' | 'both'
  /** How often it is chosen: proofs cost two more signatures, so most tokens go without. */
  readonly weight: number
}

const common = { issuer: ISSUER, audience: API } as const

/** The resource servers that inputs are presented to. */
export const SETTINGS = {
  bearer: {
    configuration: { ...common, bearer: 'allowed' },
    binding: 'none',
    weight: 52,
  },
  certificate: { configuration: common, binding: 'certificate', weight: 15 },
  dpop: { configuration: common, binding: 'dpop', weight: 12 },
  both: { configuration: common, binding: 'both', weight: 3 },
  nonces: { configuration: { ...common, nonces: [NONCE] }, binding: 'dpop', weight: 3 },
  strict: {
    configuration: {
      ...common,
      bearer: 'allowed',
      max_hops: 3,
      clock_tolerance: 0,
      algorithms: ['ES256'],
    },
    binding: 'none',
    weight: 10,
  },
  lists: {
    configuration: { ...common, bearer: 'allowed', revocation: 'required' },
    binding: 'none',
    weight: 5,
  },
} as const satisfies Readonly<Record<string, Setting>>

export type SettingName = keyof typeof SETTINGS
export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[]

/** The input as the independent reader takes it. */
export function caseOfInput(input: TokenInput, lists: readonly PublishedList[]): Case {
  const { setting, need, token, request } = input
  const { configuration }: Setting = SETTINGS[setting]
  return {
    now: NOW,
    jwks: JWKS,
    status_lists: configuration.revocation === 'required' ? lists : [],
    token,
    request,
    configuration: { ...configuration, ...need },
  }
}

/** The `cnf` of a token that fits the setting (RFC 7800 §3.1). */
export function confirmationOf(setting: SettingName): Readonly<Record<string, string>> | undefined {
  const { binding }: Setting = SETTINGS[setting]
  const key = { jkt: KEYS.agent.thumbprint }
  const certificate = { 'x5t#S256': CERTIFICATE }
  if (binding === 'none') return undefined
  if (binding === 'both') return { ...key, ...certificate }
  return binding === 'dpop' ? key : certificate
}
