/**
 * The servers the conformance suite is run against by default: this server and the example resource server, each a
 * child process over TLS, with certificates of this run. Vitest's global setup of the `conformance` project; where
 * CONFORMANCE_PROFILE is set already, it starts nothing, and the suite speaks to the servers that file names.
 */
import 'reflect-metadata'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeSelfSigned } from './certificates.ts'
import { startChangingTarget } from './changing-target.ts'
import { type Child, freePort, serveActchain, startChild } from './child-server.ts'
import { conformanceCertificates } from './conformance-certificates.ts'
import { conformanceTenants, IDS } from './conformance-tenants.ts'
import { makeCertificates } from './run-certificates.ts'

export async function setup(): Promise<() => Promise<void>> {
  if (process.env['CONFORMANCE_PROFILE'] !== undefined) return () => Promise.resolve()
  const folder = mkdtempSync(join(tmpdir(), 'actchain-conformance-'))
  const children: Child[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(children.map((child) => child.stop()))
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    process.env['CONFORMANCE_PROFILE'] = await startTarget(folder, children)
  } catch (fault) {
    await stop()
    throw fault
  }
  return stop
}

/** Starts everything and returns the path of the profile. */
async function startTarget(folder: string, children: Child[]): Promise<string> {
  const tls = await makeCertificates(join(folder, 'tls'))
  const ports = await Promise.all(Array.from({ length: 7 }, freePort))
  const [asPort, management, apiPort, sitePort, vectorPort, misledPort] = ports as number[]
  const origin = (port: number | undefined): string => `https://127.0.0.1:${port}`
  const apiUri = `${origin(apiPort)}/api`
  const tenants = join(folder, 'tenants')
  mkdirSync(tenants, { recursive: true })
  const certified = await conformanceCertificates(
    join(folder, 'tls'),
    join(folder, 'data', 'trust', 'umbrella'),
  )
  const parties = conformanceTenants(tenants, apiUri, certified.change)
  const data = join(folder, 'data')
  parties.writeTrust(join(data, 'trust'))
  const site = origin(sitePort)
  const vectors = parties.vectors({ site, vector: origin(vectorPort), misled: origin(misledPort) })
  const example = (port: number | undefined, issuer: string, audience: string, ...more: string[]) =>
    startChild({
      script: 'examples/resource-server/main.ts',
      args: flags({
        issuer,
        audience,
        port: String(port),
        'tls-cert': tls.cert,
        'tls-key': tls.key,
        'jwks-ca': tls.ca,
      }).concat(more),
    })
  // The issuers that the suite plays publish keys and nothing else.
  const offline = ['--bearer', '--revocation', 'off'] as const
  const secret = writeText(join(folder, 'nonce-secret'), randomBytes(32).toString('base64url'))
  const certificates = await Promise.all([1, 2].map((at) => writeClientCertificate(folder, at)))
  const publicUrl = origin(asPort)
  const started = await Promise.allSettled([
    serveActchain({
      tls,
      tenants,
      data,
      port: asPort,
      management,
      publicUrl,
    }),
    example(apiPort, `${publicUrl}/t/acme`, apiUri),
    example(
      vectorPort,
      vectors.issuer,
      vectors.server.uri,
      ...offline,
      '--actors',
      IDS.actor,
      '--nonce-secret',
      secret,
    ),
    example(misledPort, vectors.misled.issuer, vectors.misled.uri, ...offline),
    startChangingTarget(join(folder, 'changing'), tls),
  ])
  children.push(...started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])))
  for (const one of started) if (one.status === 'rejected') throw one.reason
  const changing = started[4]
  const acme = parties.profile((tenant) => `${publicUrl}/t/${tenant}`)
  const profile = {
    issuer: `${publicUrl}/t/acme`,
    level: 'delegation',
    // What metadata has no word for.
    features: {
      client_secrets: true,
      spiffe: true,
      security_events: true,
      resource_server: true,
      delegation: true,
    },
    ca: tls.ca,
    ...acme,
    bound: { ...acme.bound, certificates },
    certificates: {
      issuer: `${publicUrl}/t/umbrella`,
      api: acme.api,
      ...certified.profile,
    },
    vectors: {
      ...vectors,
      site: { port: sitePort, cert: tls.cert, key: tls.key },
      client_certificates: certificates,
    },
    ...(changing.status === 'fulfilled' ? { changing: changing.value.profile } : {}),
  }
  return writeText(join(folder, 'profile.json'), JSON.stringify(profile))
}

async function writeClientCertificate(folder: string, at: number) {
  const { pem, keyPem } = await makeSelfSigned({ subject: `CN=client ${at}` })
  return {
    cert: writeText(join(folder, `client-${at}.pem`), pem),
    key: writeText(join(folder, `client-${at}.key`), keyPem),
  }
}

/** Returns the path. */
function writeText(path: string, text: string): string {
  writeFileSync(path, text, { mode: 0o600 })
  return path
}

function flags(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => [`--${name}`, value])
}
