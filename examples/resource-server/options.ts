/** What the example is started with: flags, each with an environment variable of the same name in capitals. */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

export interface Options {
  /** The authorization server's issuer identifier. */
  readonly issuer: string
  /** The URL this resource is known by; tokens name it in `aud`, and its path is where the routes are. */
  readonly audience: string
  readonly port: number
  /** Whether what was revoked is looked up in the issuer's status lists. */
  readonly revocation: 'lists' | 'off'
  /** Agents that may call, by id. Absent: any agent the issuer lets through. */
  readonly actors: ReadonlySet<string> | undefined
  /** Accept tokens that are bound to no key. */
  readonly bearer: boolean
  /** PEM texts. Absent: plain http, for this machine only. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  /** What nonces are made of, shared by all instances. Absent: proofs need none. */
  readonly nonceSecret: string | undefined
  /** PEM text of a private authority that signed the issuer's certificate. */
  readonly jwksCa: string | undefined
  /** What is done with tokens goes on record at the issuer, under the resource's id there. Absent: nothing does. */
  readonly records: { readonly clientId: string; readonly key: JsonWebKey } | undefined
}

const FLAGS = {
  issuer: { type: 'string' },
  audience: { type: 'string' },
  port: { type: 'string' },
  revocation: { type: 'string' },
  actors: { type: 'string' },
  bearer: { type: 'boolean' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  'nonce-secret': { type: 'string' },
  'jwks-ca': { type: 'string' },
  'client-id': { type: 'string' },
  'client-key': { type: 'string' },
} as const

type TextFlag = Exclude<keyof typeof FLAGS, 'bearer'>

/** Throws a TypeError that names the flag that is missing or wrong. */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv): Options {
  const { values } = parseArgs({ args: [...args], options: FLAGS })
  const read = (name: TextFlag): string | undefined =>
    values[name] ?? env[name.toUpperCase().replaceAll('-', '_')]
  const required = (name: TextFlag): string => {
    const value = read(name)
    if (value === undefined || value === '') throw new TypeError(`--${name} is missing`)
    return value
  }
  const file = (name: TextFlag): string | undefined => {
    const path = read(name)
    return path === undefined ? undefined : readFileSync(path, 'utf8')
  }
  const [cert, key] = [file('tls-cert'), file('tls-key')]
  if ((cert === undefined) !== (key === undefined)) {
    throw new TypeError('--tls-cert and --tls-key go together')
  }
  const [clientId, clientKey] = [read('client-id'), file('client-key')]
  if ((clientId === undefined) !== (clientKey === undefined)) {
    throw new TypeError('--client-id and --client-key go together')
  }
  const port = Number(read('port') ?? '8470')
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new TypeError('--port is wrong')
  const revocation = read('revocation') ?? 'lists'
  if (revocation !== 'lists' && revocation !== 'off') throw new TypeError('--revocation is wrong')
  const actors = read('actors')
  return {
    issuer: required('issuer'),
    audience: required('audience'),
    port,
    revocation,
    actors: actors === undefined ? undefined : new Set(actors.split(',')),
    bearer: values.bearer ?? false,
    tls: cert === undefined || key === undefined ? undefined : { cert, key },
    nonceSecret: file('nonce-secret')?.trim(),
    jwksCa: file('jwks-ca'),
    records:
      clientId === undefined || clientKey === undefined
        ? undefined
        : { clientId, key: JSON.parse(clientKey) as JsonWebKey },
  }
}
