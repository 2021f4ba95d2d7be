/**
 * What the tests with foreign software are told of the server: one JSON file, named by INTEROP_PROFILE. The global setup of the
 * project `interop` writes it; nothing here knows how the server was started.
 */
import { readFileSync } from 'node:fs'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'

export type Jwk = Readonly<Record<string, unknown>>

export interface InteropTarget {
  readonly issuer: string
  /** Path of a PEM file with the authority of every certificate here. */
  readonly ca: string
  /** Paths of PEM files: for servers that tests start on 127.0.0.1. */
  readonly tls: { readonly cert: string; readonly key: string }
  /** Whose ID tokens open a task: its audience is the planner's client id. */
  readonly idp: { readonly issuer: string; readonly subject: string; readonly jwk: Jwk }
  /** Three agents each, which hand work to the next; they differ in how they prove themselves. */
  readonly teams: Readonly<Record<TeamName, Team>>
  /** May be called by the writer of every team. */
  readonly apis: Readonly<Record<ApiName, Api>>
}

/**
 * `bound`: private_key_jwt and DPoP; `signed`: private_key_jwt and bearer tokens; `basic` and `posted`: a secret in the header or in the
 * form, and bearer tokens; `served`: as bound, and its endpoints have ports of their own.
 */
export const TEAMS = ['bound', 'signed', 'basic', 'posted', 'served'] as const
export type TeamName = (typeof TEAMS)[number]

/** `ledger` answers during the whole run; the others belong to the test that is named so. */
export const APIS = ['ledger', 'mcp', 'apache', 'nginx', 'express'] as const
export type ApiName = (typeof APIS)[number]

export const ROLES = ['planner', 'researcher', 'writer'] as const
export type Role = (typeof ROLES)[number]
export type Team = Readonly<Record<Role, Agent>>

export interface Agent {
  readonly client_id: string
  /** The agent's own resource: what `resource` says of whom a token is for. */
  readonly endpoint: string
  /** Its endpoint's, where nothing listens until a test does. */
  readonly port: number
  /** Private; where it proves itself by a key. */
  readonly jwk?: Jwk
  readonly secret?: string
}

export interface Api {
  /** Its id, and its client id at the issuer. */
  readonly client_id: string
  /** Audience of its tokens. */
  readonly uri: string
  readonly port: number
  /** Scopes nobody else defines; a chain may use both. */
  readonly read: string
  readonly write: string
  /** Private; for introspection and records by private_key_jwt. */
  readonly jwk: Jwk
}

export function readTarget(): InteropTarget {
  const path = process.env['INTEROP_PROFILE']
  if (path === undefined) throw new Error('INTEROP_PROFILE is not set')
  return JSON.parse(readFileSync(path, 'utf8')) as InteropTarget
}

/** From now on, whatever fetches in this process believes the certificates of the target. */
export function trustTarget(): void {
  setDefaultCACertificates([...getCACertificates('default'), readFileSync(readTarget().ca, 'utf8')])
}
