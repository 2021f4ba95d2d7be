/**
 * The kinds of value a tenant's files are made of. Anything a token, a log or a store key will carry is kept to
 * printable ASCII here, so that later code never meets a look-alike, a control character or a wildcard.
 */
import { z } from 'zod'
import { quote } from '../core/problem.ts'
import type { PublicJwk } from '../core/tenant.ts'
import { parseCertificate } from './certificate.ts'
import { parsePublicKey } from './public-key.ts'

const ID = /^[a-z][a-z0-9-]{0,62}$/
// Harmless in a Map; not in the plain objects other libraries keep clients and claims in (attack case J07).
const RESERVED_IDS: ReadonlySet<string> = new Set(['constructor', 'prototype'])
/** Names the OpenID Connect library gives a meaning of its own. */
const RESERVED_SCOPES: ReadonlySet<string> = new Set(['openid', 'offline_access', ...RESERVED_IDS])
/** Registered claims say something else already (RFC 7519 §4.1). */
const REGISTERED_CLAIMS = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', ...RESERVED_IDS]
const FACT_CLAIMS = ['act', 'may_act', 'act_bounds', 'client_id', 'cnf', 'scope', 'txn']
const NOT_FOR_RULES = new Set([...REGISTERED_CLAIMS, ...FACT_CLAIMS])
/** Of a workload's token (RFC 7519 §4.1): rules about them are the server's own. */
const JUDGED_CLAIMS: ReadonlySet<string> = new Set('/iss /aud /exp /nbf /iat /jti'.split(' '))
const ID_RULE = 'a lower-case letter, then up to 62 of a-z 0-9 -'
const SECONDS = { s: 1, m: 60, h: 3600 } as const
const LONGEST_LIST = 1000
/** Two keys overlap during a rotation; a few more do no harm. */
const MOST_KEYS = 16
/** As of one claim of a token (server/oauth). */
const MOST_VALUES = 32

export function isId(text: string): boolean {
  return ID.test(text) && !RESERVED_IDS.has(text)
}

export const id = z
  .string()
  .regex(ID, { error: `an id is ${ID_RULE}` })
  .refine((text) => !RESERVED_IDS.has(text), { error: `an id is ${ID_RULE}` })
  .meta({ title: 'id' })

export const uri = z.string().meta({ title: 'URI' })

/** A resource by id or URI. */
export const target = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, { error: 'expected the id or the URI of a resource' })
  .meta({ title: 'id or URI' })

/** RFC 6749 §3.3 scope-token. */
export const scopeName = z
  .string()
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/, {
    error: 'a scope is 1 to 128 printable ASCII characters without space, " and \\',
  })
  .refine((name) => !RESERVED_SCOPES.has(name), { error: 'this scope name is reserved' })
  .meta({ title: 'scope' })

export const line = z
  .string()
  .regex(/^[\x20-\x7e]{1,200}$/, { error: 'expected 1 to 200 printable ASCII characters' })
  .meta({ title: 'line of text' })

/** Shown to people only, so any script; no control, direction or lone surrogate characters. */
export const displayName = z.string().regex(/^[^\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]{1,120}$/u, {
  error: 'expected 1 to 120 characters, no control or invisible ones',
})

/** A subject is another issuer's text: any script, compared by code points (attack case J10). */
export const subject = z
  .string()
  .regex(/^[^\p{Cc}\p{Cs}]{1,255}$/u, { error: 'expected 1 to 255 characters, no control ones' })

/** RFC 6749 §2.2, Appendix A.1. */
export const clientId = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, { error: 'expected 1 to 255 printable ASCII characters' })

export const subjectPrefix = z
  .string()
  .regex(/^[A-Za-z0-9._:|/-]{0,64}$/, { error: 'expected up to 64 of A-Z a-z 0-9 . _ : | / -' })

function claim(reserved: ReadonlySet<string>) {
  return z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9_.:/-]{0,127}$/, { error: 'expected the name of a claim' })
    .refine((name) => !reserved.has(name), { error: 'this claim has a meaning of its own' })
    .meta({ title: 'name of a claim' })
}

/** A claim that names a client or lists scopes. */
export const claimName = claim(new Set(REGISTERED_CLAIMS))

/**
 * What a subject's claims may say to rules. Not those that are facts of ours in the same words: a claim named `act` that an
 * identity provider lets people edit would pass as one (requirement PROF-16).
 */
export const subjectClaim = claim(NOT_FOR_RULES)

/** The same, and the person's own name at the issuer. */
export const roleClaim = claim(new Set([...NOT_FOR_RULES].filter((name) => name !== 'sub')))

/** Printable, so that it reads as it compares (attack case J10). */
export const claimValue = z.string().regex(/^[^\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]{1,255}$/u, {
  error: 'expected 1 to 255 characters, no control or invisible ones',
})

export const claimValues = z
  .union([claimValue, z.array(claimValue).min(1).max(MOST_VALUES)], {
    error: `expected a text or a list of 1 to ${MOST_VALUES} texts`,
  })
  .transform((stated) => (typeof stated === 'string' ? [stated] : stated))
  .meta({ title: 'text or list of texts' })

/** Text of a certificate or a token, compared and never looked up: printable ASCII, as its names are (attack case J10). */
export const printable = z.string().regex(/^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/, {
  error: 'expected 1 to 255 printable ASCII characters',
})

/** RFC 6901, without empty steps. */
export const claimPointer = z
  .string()
  .regex(/^(?=.{2,255}$)(?:\/(?:[!-.0-}]|~[01])+)+$/, {
    error: 'expected a JSON Pointer to a claim, such as /sub',
  })
  .refine((pointer) => !JUDGED_CLAIMS.has(pointer), {
    error: 'this claim is judged by itself: leave it out',
  })
  .meta({ title: 'JSON Pointer' })

/** A `*` is refused because it would be read as any text and compared as a star. */
const workloadText = printable.refine((text) => !text.includes('*'), {
  error: 'there are no wildcards: the value is compared exactly',
})

export const workloadClaim = z
  .union([workloadText, distinct(workloadText).min(1, { error: 'name a text' })], {
    error:
      'expected a text or a list of texts; in quotes, if it looks like a number, a boolean or null',
  })
  .transform((stated) => (typeof stated === 'string' ? [stated] : stated))
  .meta({ title: 'text or list of texts' })

/** The DER of a certificate, base64. */
export const certificate = z
  .string()
  .transform((text, context) => {
    const result = parseCertificate(text)
    if (result.kind === 'certificate') return result.der
    context.addIssue({ code: 'custom', message: result.text })
    return z.NEVER
  })
  .meta({ title: 'certificate, PEM' })

export const algorithm = z.enum(['ES256', 'EdDSA', 'RS256'])

/** A name another server has for us: compared, never fetched. */
export const audience = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, { error: 'expected 1 to 255 printable ASCII characters' })

/** As the parameter of an exchange. */
export const purpose = z.string().regex(/^[^\p{Cc}\p{Cs}\u2028\u2029]{1,512}$/u, {
  error: 'expected 1 to 512 characters, no control ones',
})

export const isTrue = z.literal(true, { error: 'can only be true; leave it out otherwise' })

export function wholeNumber(least: number, most: number) {
  const error = `expected a whole number from ${least} to ${most}`
  return z.int({ error }).min(least, { error }).max(most, { error })
}

/** Seconds as a whole number, or `90s`, `15m`, `8h`; in seconds. */
export function duration(most: number) {
  return z
    .union([z.number(), z.string()], { error: 'expected a duration such as 90s, 15m or 8h' })
    .transform((stated, context) => {
      const seconds = typeof stated === 'number' ? stated : readSeconds(stated)
      if (Number.isSafeInteger(seconds) && seconds >= 1 && seconds <= most) return seconds
      const message = Number.isNaN(seconds)
        ? 'expected a duration such as 90s, 15m or 8h'
        : `expected a duration from 1s to ${most}s`
      context.addIssue({ code: 'custom', message })
      return z.NEVER
    })
    .meta({ title: 'duration' })
}

function readSeconds(text: string): number {
  const [, digits, unit] = /^([1-9][0-9]{0,6})([smh])$/.exec(text) ?? []
  if (digits === undefined || unit === undefined) return Number.NaN
  return Number(digits) * SECONDS[unit as keyof typeof SECONDS]
}

/** RFC 3339 full-date (its first moment, UTC) or date-time; seconds since the epoch. */
export const instant = z
  .union([z.iso.date(), z.iso.datetime({ offset: true })], {
    error: 'expected an RFC 3339 date such as 2027-06-30 or 2027-06-30T12:00:00Z',
  })
  .transform((text) => Math.floor(Date.parse(text) / 1000))
  .meta({ title: 'date or instant' })

/** A list without repetition. */
export function distinct<Element extends z.ZodType<string>>(element: Element) {
  return z
    .array(element)
    .max(LONGEST_LIST)
    .superRefine((items, context) => {
      const seen = new Set<string>()
      for (const [index, item] of items.entries()) {
        if (seen.has(item)) {
          context.addIssue({
            code: 'custom',
            path: [index],
            message: `${quote(item)} is stated twice`,
          })
        }
        seen.add(item)
      }
    })
    .meta({ uniqueItems: true })
}

const publicKey = z.record(z.string(), z.unknown()).transform((jwk, context): PublicJwk => {
  const result = parsePublicKey(jwk)
  if (result.kind === 'key') return result.key
  context.addIssue({ code: 'custom', message: result.text })
  return z.NEVER
})

/** A JWK Set (RFC 7517 §5) of public keys, no key id twice. */
export const keySet = strict({
  keys: z
    .array(publicKey)
    .min(1, { error: 'a key set needs a key' })
    .max(MOST_KEYS, { error: `a key set has at most ${MOST_KEYS} keys` })
    .superRefine((keys, context) => {
      const seen = new Set<unknown>()
      for (const [index, { kid }] of keys.entries()) {
        if (kid !== undefined && seen.has(kid)) {
          context.addIssue({ code: 'custom', path: [index], message: 'this "kid" is stated twice' })
        }
        seen.add(kid)
      }
    }),
})
  .transform(({ keys }) => keys)
  .meta({ title: 'JWK Set' })

/**
 * An object without unknown members. The message of an `unrecognized_keys` issue is the list of the members known
 * there, separated by spaces: `issue-problem.ts` picks the suggestion from it.
 */
export function strict<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? Object.keys(shape).join(' ') : undefined,
  })
}
