/** Inputs from a seed: good tokens of the grammar, and what mutations make of them. */
import { encode, type FuzzKey, KEYS, signatureOf, signRaw } from '../issuer.ts'
import { Random } from '../random.ts'
import { crossClaims, mutateClaims } from './claim-mutations.ts'
import { mutateCompact } from './compact-mutations.ts'
import { type Claims, type Json, sampleChains, textOf } from './grammar.ts'
import { mutateHeader } from './header-mutations.ts'
import {
  confirmationOf,
  SETTING_NAMES,
  SETTINGS,
  type Setting,
  type SettingName,
  type TokenInput,
} from './input.ts'
import { mutateJson } from './json-mutations.ts'
import { anyValue } from './odd-values.ts'
import { goodRequest, mutateRequest } from './presentation-mutations.ts'
import { isMembers } from './spot.ts'

/** Good chains at a time, and inputs made from them before there are new ones: drawing one costs as much as ten signatures. */
const CHAINS = 200
const INPUTS_OF_CHAINS = 65_536
/** Signed tokens that unsigned mutations start from. */
const REMEMBERED = 256

const WEIGHTED: readonly { readonly name: SettingName; readonly weight: number }[] =
  SETTING_NAMES.map((name) => ({ name, weight: SETTINGS[name].weight }))

/** A good chain as text: parsing costs, and many inputs only add to it. */
interface Chain {
  readonly text: string
  readonly scope: string
  readonly hops: number
}

interface Draft {
  readonly setting: SettingName
  readonly chain: Chain
  /** The chain bound as the setting wants it. */
  readonly text: string
  readonly key: FuzzKey
}

interface Kind {
  readonly weight: number
  make(draft: Draft, random: Random): TokenInput
}

export class Generator {
  readonly #seed: number
  /** Of the corpus: good and bad, all start something new. */
  readonly #kept: readonly TokenInput[]
  #era = -1
  #chains: readonly Chain[] = []
  #signed: TokenInput[] = []
  readonly #kinds: readonly Kind[] = [
    { weight: 5, make: (draft) => this.#good(draft) },
    { weight: 28, make: (draft, random) => this.#ofClaims(draft, random) },
    { weight: 5, make: (draft, random) => this.#ofTwo(draft, random) },
    { weight: 6, make: (draft, random) => this.#ofText(draft, random) },
    { weight: 3, make: (draft, random) => this.#ofHeader(draft, random) },
    { weight: 4, make: (draft, random) => this.#ofRequest(draft, random) },
    { weight: 44, make: (draft, random) => this.#unsigned(draft, random) },
    { weight: 3, make: (draft, random) => this.#byOthers(draft, random) },
    { weight: 2, make: (draft, random) => this.#large(draft, random) },
  ]

  constructor(seed: number, kept: readonly TokenInput[]) {
    this.#seed = seed
    this.#kept = kept
  }

  /** The input of this number: the same in each run with this seed and corpus. */
  input(number: number): TokenInput {
    const era = Math.floor(number / INPUTS_OF_CHAINS)
    if (era !== this.#era) this.#begin(era)
    const random = new Random(this.#seed, number)
    const draft = this.#draft(random)
    return random.pickWeighted(this.#kinds).make(draft, random)
  }

  #begin(era: number): void {
    this.#era = era
    this.#chains = sampleChains(this.#seed + era, CHAINS).map(chainOf)
    const random = new Random(this.#seed, -1 - era)
    this.#signed = Array.from({ length: REMEMBERED }, () => this.#good(this.#draft(random)))
  }

  #draft(random: Random): Draft {
    const { name: setting } = random.pickWeighted(WEIGHTED)
    const { configuration }: Setting = SETTINGS[setting]
    // RSA signs so slowly that it comes rarely.
    const rsa = random.chance(0.005) ? KEYS.rs256 : KEYS.es256
    const key = configuration.algorithms === undefined && random.chance(0.1) ? KEYS.eddsa : rsa
    const chain = random.pick(this.#chains)
    return {
      setting,
      chain,
      text: boundText(chain.text, setting),
      key: configuration.algorithms === undefined ? key : KEYS.es256,
    }
  }

  #good({ setting, chain, text, key }: Draft): TokenInput {
    const token = signRaw(key, JSON.stringify(headerOf(key)), text)
    const input = present({ setting, scope: chain.scope, token, by: 'grammar' })
    return isWithinHops(setting, chain) ? { ...input, good: true } : input
  }

  #ofClaims({ setting, text, key }: Draft, random: Random): TokenInput {
    const start = random.chance(0.15) ? this.#keptClaims(random) : undefined
    const { claims, by } = mutateClaims(start ?? text, random)
    return sign({ setting, claims, key, by: start === undefined ? by : `kept+${by}` })
  }

  #ofTwo({ setting, text, key }: Draft, random: Random): TokenInput {
    const { claims, by } = crossClaims(text, random.pick(this.#chains).text, random)
    return sign({ setting, claims, key, by })
  }

  #ofText({ setting, chain, text, key }: Draft, random: Random): TokenInput {
    const header = JSON.stringify(headerOf(key))
    const inHeader = random.chance(0.15)
    const { raw, by } = mutateJson(inHeader ? header : text, random)
    const token = inHeader ? signRaw(key, raw, text) : signRaw(key, header, raw)
    return present({ setting, scope: chain.scope, token, by: inHeader ? `header-${by}` : by })
  }

  #ofHeader({ setting, chain, text, key }: Draft, random: Random): TokenInput {
    const { header, by } = mutateHeader(headerOf(key), random, KEYS.stranger.jwk)
    const token = signRaw(key, JSON.stringify(header), text)
    return present({ setting, scope: chain.scope, token, by })
  }

  #ofRequest(draft: Draft, random: Random): TokenInput {
    const input = this.#good(draft)
    const { request, by } = mutateRequest(input.token, input.setting, random)
    const { good: _, ...rest } = input
    return { ...rest, request, by }
  }

  /** Another text under a signature that was good, with the proof that was good: nothing is signed, so it costs little. */
  #unsigned(_: Draft, random: Random): TokenInput {
    const { good: _good, ...input } = random.pick(this.#signed)
    const also = random.pick(this.#signed).token
    if (random.chance(0.7)) {
      const { token, by } = mutateCompact(input.token, also, random)
      // A change may undo itself: what is signed is decided by the text alone.
      return { ...input, token, signed: signedPart(token) === signedPart(input.token), by }
    }
    const [header = '', payload = '', signature = ''] = input.token.split('.')
    const text = Buffer.from(payload, 'base64url').toString()
    const { raw, by } = random.chance(0.5)
      ? { raw: JSON.stringify(mutateClaims(text, random).claims), by: 'claims' }
      : mutateJson(text, random)
    const token = `${header}.${encode(raw)}.${signature}`
    const signed = token === input.token
    return { ...input, token, signed, by: `unsigned-${by}` }
  }

  /** Good claims, signed by a stranger who uses the issuer's `kid`, or by another key than the header says. */
  #byOthers({ setting, chain, text, key }: Draft, random: Random): TokenInput {
    const header = JSON.stringify(
      random.chance(0.3)
        ? { ...headerOf(key), jwk: KEYS.stranger.jwk, x5c: ['x'] }
        : headerOf(random.pick([KEYS.es256, KEYS.eddsa, KEYS.rs256])),
    )
    const input = `${encode(header)}.${encode(text)}`
    const signer = random.pick([KEYS.stranger, KEYS.agent, KEYS.other_agent])
    const token = `${input}.${signatureOf(signer, input)}`
    return { ...present({ setting, scope: chain.scope, token, by: 'stranger' }), signed: false }
  }

  /** Around and beyond 16 KB. */
  #large({ setting, text: good, key }: Draft, random: Random): TokenInput {
    const kind = random.below(6)
    const text = (length: number): string => 'x'.repeat(Math.max(0, length))
    const padding = random.pick([9_000, 10_500, 11_400, 11_800, 12_200, 13_000, 40_000])
    const small = Math.floor(padding / 24)
    const fillers: readonly (() => Json)[] = [
      () => text(padding),
      () => Array.from({ length: Math.floor(padding / 2) }, () => 1),
      () =>
        Object.fromEntries(Array.from({ length: small }, (_, n) => [`member-${n}`, `value ${n}`])),
      () => Array.from({ length: small }, () => ({ a: [{}], b: anyValue(random) })),
      () => '\\u0061"'.repeat(Math.floor(padding / 8)),
      () => '😀'.repeat(Math.floor(padding / 4)),
    ]
    const filler = fillers[kind]?.() ?? null
    const place = random.below(4)
    const start = place === 3 ? mutateClaims(good, random).claims : (JSON.parse(good) as Claims)
    const filled: Claims = { ...start, ext: filler }
    const bounds = filled['act_bounds']
    if (place === 1 && isMembers(bounds)) bounds['ext'] = filler
    if (place === 2) filled['sub'] = typeof filler === 'string' ? filler : text(padding)
    return sign({ setting, claims: filled, key, by: `large-${kind}-${place}` })
  }

  #keptClaims(random: Random): string | undefined {
    if (this.#kept.length === 0) return undefined
    const payload = random.pick(this.#kept).token.split('.')[1] ?? ''
    const text = Buffer.from(payload, 'base64url').toString()
    try {
      return isMembers(JSON.parse(text)) ? text : undefined
    } catch {
      return undefined
    }
  }
}

function signedPart(token: string): string {
  return token.slice(0, token.lastIndexOf('.'))
}

function headerOf({ alg, kid }: FuzzKey): Record<string, unknown> {
  return { alg, typ: 'at+jwt', kid }
}

function chainOf(claims: Claims): Chain {
  const bounds = claims['act_bounds']
  const hops = isMembers(bounds) && Array.isArray(bounds['hops']) ? bounds['hops'].length : 0
  return { text: JSON.stringify(claims), scope: textOf(claims['scope']), hops }
}

function boundText(text: string, setting: SettingName): string {
  const cnf = confirmationOf(setting)
  return cnf === undefined ? text : `${text.slice(0, -1)},"cnf":${JSON.stringify(cnf)}}`
}

function sign(signing: {
  readonly setting: SettingName
  readonly claims: Claims
  readonly key: FuzzKey
  readonly by: string
}): TokenInput {
  const { setting, claims, key, by } = signing
  const token = signRaw(key, JSON.stringify(headerOf(key)), JSON.stringify(claims))
  return present({ setting, scope: textOf(claims['scope']), token, by })
}

/** The token with the request that fits the setting, to a route that asks for what the token has. */
function present(made: {
  readonly setting: SettingName
  /** Of the token's claims. */
  readonly scope: string
  readonly token: string
  readonly by: string
}): TokenInput {
  const { setting, token, by } = made
  const scope = made.scope.split(' ').find(isScopeName)
  return {
    setting,
    // A scope the token has; where it has none, the door of an agent.
    need: scope === undefined ? { handover: true } : { required_scope: scope },
    token,
    request: goodRequest(token, setting),
    signed: true,
    by,
  }
}

function isScopeName(name: string): boolean {
  return /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(name)
}

/** Whether the setting takes a chain this long. */
function isWithinHops(setting: SettingName, { hops }: Chain): boolean {
  const { configuration }: Setting = SETTINGS[setting]
  return hops <= (configuration.max_hops ?? 8)
}
