/** Reads the metadata documents of the issuers in a profile: RFC 8414 §3, and the same of OpenID Connect. */
import { readFileSync } from 'node:fs'
import { request as plainRequest } from 'node:http'
import { request } from 'node:https'
import type { Metadata } from '../features.ts'
import type { Documents } from './documents.ts'
import type { GivenProfile } from './profile.ts'

/** Where an issuer's metadata may be: between host and path first, as the RFC has it, then after the path. */
export function metadataPlaces(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname === '/' ? '' : pathname.replace(/\/$/, '')
  const names = ['oauth-authorization-server', 'openid-configuration']
  const places = names.flatMap((name) => [
    `${origin}/.well-known/${name}${path}`,
    `${origin}${path}/.well-known/${name}`,
  ])
  return [...new Set(places)]
}

/** Throws, with every place and what was there, where the server under test has none and the profile has no endpoints. */
export async function readDocuments(profile: GivenProfile): Promise<Documents> {
  const { issuer, endpoints = {}, ca: path } = profile
  const ca = path === undefined ? undefined : readFileSync(path, 'utf8')
  const own = endpoints.metadata === undefined ? metadataPlaces(issuer) : [endpoints.metadata]
  const others = [profile.other, profile.nonces, profile.bound, profile.certificates]
  const names = [...others, profile.changing].flatMap((one) =>
    one === undefined ? [] : [one.issuer],
  )
  const [main, ...rest] = await Promise.all([
    firstDocument(own, ca),
    ...names.map(async (name) => [name, await firstDocument(metadataPlaces(name), ca)] as const),
  ])
  if (main.document === undefined && endpoints.token === undefined) {
    throw new Error(
      `${issuer} has no metadata: ${main.faults.join('; ')}. Name its endpoints in the profile where it has none.`,
    )
  }
  const read = rest.map(([name, { document }]) => [name, document ?? {}] as const)
  return { ...Object.fromEntries(read), [issuer]: main.document ?? {} }
}

interface Found {
  readonly document?: Metadata
  readonly faults: readonly string[]
}

async function firstDocument(places: readonly string[], ca: string | undefined): Promise<Found> {
  const faults: string[] = []
  for (const place of places) {
    try {
      return { document: await readDocument(place, ca), faults }
    } catch (fault) {
      faults.push(`${place}: ${fault instanceof Error ? fault.message : String(fault)}`)
    }
  }
  return { faults }
}

function readDocument(url: string, ca: string | undefined): Promise<Metadata> {
  const ask = url.startsWith('http:') ? plainRequest : request
  return new Promise((resolve, reject) => {
    const asking = ask(url, ca === undefined ? {} : { ca }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        if (response.statusCode !== 200) reject(new Error(`answers ${response.statusCode}`))
        else resolve(parsed(Buffer.concat(chunks).toString()))
      })
    })
    asking.setTimeout(10_000, () => asking.destroy(new Error('no answer within ten seconds')))
    asking.on('error', reject)
    asking.end()
  }).then((value) => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Metadata
    throw new Error('is no JSON object')
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
