/**
 * Clients of the conformance run that authenticate by certificate: what a tenant has to say of them, the certificates that are
 * theirs, and, for each requirement, certificates that are sound but for the one thing it is about.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  bundleEntry,
  type CertificateShape,
  EMAIL_PROTECTION,
  hoursFromNow,
  makeIntermediate,
  makeLeaf,
  makeRoot,
  makeSelfSigned,
  makeSvid,
  type TestCertificate,
} from './certificates.ts'
import type { TenantDocuments } from './tenant-folder.ts'

const BUNDLE = 'prod.json'
const DOMAIN = 'prod.acme.example'
const FLEET = `spiffe://${DOMAIN}/fleet`
const WORKLOAD = `spiffe://${DOMAIN}/agents/workload`
const NAME = 'https://issued.acme.example'
/** Facts about certificates that end soon come with a warning. */
const LASTING = { notAfter: hoursFromNow(24 * 365) }
const EXPIRED = { notBefore: hoursFromNow(-2), notAfter: hoursFromNow(-1) }

/** Whom a certificate is shown as: the certificate, and those it came with. */
type Shown = readonly [clientId: string, certificate: TestCertificate, ...TestCertificate[]]
type Refused = readonly [requirement: string, what: string, shown: Shown]

/**
 * Writes the certificates to `folder`, and to `trust` what the operator puts beside the tenant. `change` is for the tenant, `profile` for
 * the suite.
 */
export async function conformanceCertificates(folder: string, trust: string) {
  const [corp, prod, second, stranger] = await Promise.all([
    makeRoot({ subject: 'CN=Corp', ...LASTING }),
    makeRoot({ subject: 'O=SPIRE' }),
    makeRoot({ subject: 'CN=Second' }),
    makeRoot({ subject: 'CN=Corp' }),
  ])
  const registered = await makeSelfSigned(LASTING)
  const given = { corp, prod, second, registered }
  const accepted = await acceptedBy(given)
  const refused = [
    ...(await refusedClients({ ...given, stranger })),
    ...(await refusedWorkloads(given)),
  ]
  mkdirSync(trust, { recursive: true, mode: 0o700 })
  writeFileSync(join(trust, BUNDLE), JSON.stringify(bundleOf(given)))
  const write = (name: string, [client_id, certificate, ...chain]: Shown) => {
    const path = (end: string, text: string): string => {
      const file = join(folder, `${name}.${end}`)
      writeFileSync(file, text, { mode: 0o600 })
      return file
    }
    const pem = [certificate, ...chain].map((one) => one.pem).join('')
    return { client_id, cert: path('pem', pem), key: path('key', certificate.keyPem) }
  }
  return {
    change: (documents: TenantDocuments): void => extend(documents, given),
    profile: {
      accepted: Object.fromEntries(
        Object.entries(accepted).map(([name, shown]) => [name, write(`accepted-${name}`, shown)]),
      ),
      refused: refused.map(([requirement, what, shown], at) => ({
        requirement,
        what,
        ...write(`refused-${at}`, shown),
      })),
    },
  }
}

type Given = Readonly<Record<'corp' | 'prod' | 'second' | 'registered', TestCertificate>>

async function acceptedBy({ corp, prod, registered }: Given): Promise<Record<string, Shown>> {
  const below = await makeIntermediate(prod, { subject: 'CN=Below' })
  const names = (type: 'url' | 'ip', value: string): CertificateShape => ({
    names: [{ type, value }],
  })
  return {
    issued: ['issued', await makeLeaf(corp, names('url', NAME))],
    address: ['address', await makeLeaf(corp, names('ip', '2001:db8::1'))],
    registered: ['registered', registered],
    workload: ['workload', await makeSvid(below, WORKLOAD), below],
    named: [WORKLOAD, await makeSvid(prod, WORKLOAD)],
    fleet: ['fleet', await makeSvid(prod, `${FLEET}/b`)],
  }
}

async function refusedClients({
  corp,
  stranger,
  registered,
}: Given & { readonly stranger: TestCertificate }): Promise<Refused[]> {
  const leaf = (shape: CertificateShape = {}, issuer = corp): Promise<TestCertificate> =>
    makeLeaf(issuer, { names: [{ type: 'url', value: NAME }], ...shape })
  const named = (value: string) => leaf({ names: [{ type: 'url', value }] })
  const again = await makeSelfSigned({ keys: registered.keys })
  const sound = await leaf()
  return [
    ['8705-2-02', 'of another client of the same authority', ['address', sound]],
    ['8705-2-02', 'of a client that registers its own', ['issued', registered]],
    ['8705-2.1-01', 'of an authority nobody knows', ['issued', await leaf({}, stranger)]],
    ['8705-2.1-01', 'that has expired', ['issued', await leaf(EXPIRED)]],
    ['8705-2.1-01', 'with more than the name', ['issued', await named(`${NAME}/x`)]],
    ['8705-2.1-01', 'with a part of the name', ['issued', await named('https://issued')]],
    ['8705-2.1-01', 'with a wildcard', ['issued', await named('https://*.acme.example')]],
    ['8705-2.1-01', 'for mail', ['issued', await leaf({ extendedKeyUsage: [EMAIL_PROTECTION] })]],
    ['8705-2.2-01', 'of the same key', ['registered', again]],
  ]
}

async function refusedWorkloads({ corp, prod, second }: Given): Promise<Refused[]> {
  const uris = (...values: readonly string[]): CertificateShape => ({
    names: values.map((value) => ({ type: 'url', value })),
  })
  const svid = async (shape: CertificateShape = {}, issuer = prod): Promise<Shown> => [
    'workload',
    await makeSvid(issuer, WORKLOAD, shape),
  ]
  const beneath = async (shape: CertificateShape): Promise<Shown> => {
    const between = await makeIntermediate(prod, { subject: 'CN=Between', ...shape })
    return ['workload', await makeSvid(between, WORKLOAD), between]
  }
  const ofFleet = async (id: string): Promise<Shown> => ['fleet', await makeSvid(prod, id)]
  const two = uris(WORKLOAD, `spiffe://${DOMAIN}/agents/other`)
  const authority = { basicConstraints: { ca: true } }
  return [
    ['SPCA-x509-01', 'of another workload', await svid(uris(`spiffe://${DOMAIN}/agents/other`))],
    ['SPCA-x509-01', 'of another workload', [`${FLEET}/b`, await makeSvid(prod, `${FLEET}/c`)]],
    ['SPCA-x509-02', 'that an authority of others signed', await svid({}, corp)],
    ['SPCA-x509-03', 'with two URIs', await svid(two)],
    ['SPCA-x509-03', 'of an authority', await svid(authority)],
    ['SPCA-x509-03', 'not for signatures', await svid({ keyUsage: ['keyAgreement'] })],
    ['SPCA-reg-01', 'beneath a name that only begins alike', await ofFleet(`${FLEET}s/b`)],
    ['SPCA-reg-01', 'of the name itself', await ofFleet(FLEET)],
    ['SPX-2-01', 'with two URIs', await svid(two)],
    ['SPX-2-01', 'with the same URI twice', await svid(uris(WORKLOAD, WORKLOAD))],
    ['SPX-3.1-01', 'of the trust domain itself', await svid(uris(`spiffe://${DOMAIN}`))],
    [
      'SPX-3.2-01',
      'that signs certificates',
      await svid({ ...authority, keyUsage: ['keyCertSign'] }),
    ],
    [
      'SPX-4.3-01',
      'with keyCertSign',
      await svid({ keyUsage: ['digitalSignature', 'keyCertSign'] }),
    ],
    ['SPX-4.3-01', 'with cRLSign', await svid({ keyUsage: ['digitalSignature', 'cRLSign'] })],
    ['SPX-4.3-01', 'without digitalSignature', await svid({ keyUsage: ['keyEncipherment'] })],
    ['SPX-4.3-01', 'whose usage is not critical', await svid({ keyUsageCritical: false })],
    ['SPX-4.3-01', 'of an authority', await svid(authority)],
    ['SPX-4.4-01', 'for mail', await svid({ extendedKeyUsage: [EMAIL_PROTECTION] })],
    ['SPX-5.1-01', 'that has expired', await svid(EXPIRED)],
    ['SPX-5.1-01', 'not valid yet', await svid({ notBefore: hoursFromNow(0.5) })],
    [
      'SPX-5.1-01',
      'beneath what is no authority',
      await beneath({ basicConstraints: { ca: false } }),
    ],
    [
      'SPX-5.1-01',
      'beneath what may not sign',
      await beneath({ keyUsage: ['digitalSignature', 'cRLSign'] }),
    ],
    ['SPX-6.2-01', 'of a second x5c value', await svid({}, second)],
  ]
}

/** X509-SVID §6.2: of the first entry the second value is nothing, and the second entry says nothing. */
function bundleOf({ prod, second }: Given): unknown {
  const { x5c: first, ...withoutCertificate } = bundleEntry(prod)
  const { x5c: other } = bundleEntry(second)
  return { keys: [{ ...withoutCertificate, x5c: [first, other].flat() }, withoutCertificate] }
}

function extend({ tenant, agents, taskTypes }: TenantDocuments, given: Given): void {
  tenant['certificate_authorities'] = [{ id: 'corp', certificates: [given.corp.pem] }]
  tenant['trust_domains'] = [{ name: DOMAIN, bundle_file: BUNDLE }]
  const issued = { method: 'tls_client_auth', authority: 'corp' }
  const auths: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    issued: { ...issued, san_uri: NAME },
    address: { ...issued, san_ip: '2001:0db8:0:0:0:0:0:1' },
    registered: {
      method: 'self_signed_tls_client_auth',
      certificates: [given.registered.pem],
    },
    workload: { method: 'spiffe_x509', spiffe_id: WORKLOAD },
    fleet: { method: 'spiffe_x509', spiffe_id: `${FLEET}/*` },
  }
  for (const [id, auth] of Object.entries(auths)) {
    agents.agents.push({
      id,
      owner: 'team@acme.example',
      class: 'worker',
      scopes: ['files:read'],
      may_reach: ['files-api'],
      auth,
    })
  }
  for (const type of taskTypes.task_types) {
    if (type['basis'] === 'client') {
      type['openers'] = [...(type['openers'] as string[]), ...Object.keys(auths)]
    }
  }
}
