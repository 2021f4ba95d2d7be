/** The stage of client certificates: a real server with TLS, authorities of the tests, and agents that have nothing but certificates. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Answer, Overrides, Parameters } from '../support/agent-client.ts'
import {
  bundleEntry,
  type CertificateShape,
  hoursFromNow,
  makeIntermediate,
  makeLeaf,
  makeRevocationList,
  makeRoot,
  makeSelfSigned,
  makeSvid,
  pemOf,
  type TestCertificate,
} from '../support/certificates.ts'
import type { TenantDocuments } from '../support/tenant-folder.ts'
import { startTlsServer, type TlsServer } from '../support/tls-server.ts'
import { find } from './fixture.ts'
import { WORK } from './workload-stage.ts'

export const PROD = 'prod.acme.example'
export const PARTNERS = 'partner.example'
/** The one name of each agent of the authority `corp`. */
export const NAMES = {
  planner: { type: 'url', value: 'https://planner.acme.example/agent' },
  'by-dns': { type: 'dns', value: 'Agent.acme.example' },
  'by-ip': { type: 'ip', value: '2001:db8::1' },
  'by-mail': { type: 'email', value: 'Agent@acme.example' },
} as const

export interface CertificateStage {
  readonly server: TlsServer
  /** Roots: of the authority `corp`, of two trust domains, and one that no tenant knows, with the names of `corp`. */
  readonly corp: TestCertificate
  readonly prod: TestCertificate
  readonly partners: TestCertificate
  readonly impostor: TestCertificate
  /** Beneath `corp`: one that stands, and one that was revoked. */
  readonly issuing: TestCertificate
  readonly withdrawn: TestCertificate
  /** Beneath `issuing`, with planner's name, and revoked. */
  readonly lost: TestCertificate
  /** coder's registered certificates: one that stands, one that is over. */
  readonly registered: TestCertificate
  readonly outdated: TestCertificate
  /** A sound certificate of planner by `issuing`, or with a fault. */
  readonly planners: (
    shape?: CertificateShape,
    issuer?: TestCertificate,
  ) => Promise<TestCertificate>
  /** A sound SVID of researcher, or with a fault. */
  readonly svid: (
    shape?: CertificateShape,
    id?: string,
    issuer?: TestCertificate,
  ) => Promise<TestCertificate>
  /** Work of its own, asked for over a connection with this certificate. */
  readonly work: (clientId: string | undefined, by: Shown, more?: More) => Promise<Answer>
  /** The tenant as it is, with something changed; seen by the next start. */
  rewrite(change: (documents: TenantDocuments) => void): void
  close(): Promise<void>
}

export interface Shown {
  readonly certificate?: TestCertificate
  readonly chain?: readonly TestCertificate[]
}

export interface More {
  readonly form?: Parameters
  readonly overrides?: Overrides
}

export async function setCertificateStage(): Promise<CertificateStage> {
  const [corp, prod, partners, impostor] = await Promise.all([
    makeRoot({ subject: 'CN=Corp' }),
    makeRoot({ subject: 'O=SPIRE' }),
    makeRoot({ subject: 'O=SPIRE' }),
    makeRoot({ subject: 'CN=Corp' }),
  ])
  const issuing = await makeIntermediate(corp, {
    subject: 'CN=Issuing',
    basicConstraints: { ca: true, pathLength: 0 },
  })
  const withdrawn = await makeIntermediate(corp, { subject: 'CN=Withdrawn' })
  const planners: CertificateStage['planners'] = (shape = {}, issuer = issuing) =>
    makeLeaf(issuer, { names: [NAMES.planner], ...shape })
  const lost = await planners()
  const registered = await makeSelfSigned()
  const outdated = await makeSelfSigned({
    notBefore: hoursFromNow(-2),
    notAfter: hoursFromNow(-1),
  })
  const authorities = { corp, prod, registered, outdated }
  const server = await startTlsServer({
    tenants: { acme: (documents) => extend(documents, authorities), globex: () => {} },
  })
  const folder = join(server.config.trustFolder, 'acme')
  mkdirSync(folder, { recursive: true })
  const lists = await Promise.all([
    makeRevocationList(corp, { revoked: [withdrawn] }),
    makeRevocationList(issuing, { revoked: [lost] }),
    makeRevocationList(withdrawn),
  ])
  writeFileSync(join(folder, 'corp.crl'), lists.map((der) => pemOf(der, 'X509 CRL')).join(''))
  writeFileSync(join(folder, 'partners.json'), JSON.stringify({ keys: [bundleEntry(partners)] }))
  return {
    server,
    corp,
    prod,
    partners,
    impostor,
    issuing,
    withdrawn,
    lost,
    registered,
    outdated,
    planners,
    svid: (shape = {}, id = `spiffe://${PROD}/agents/researcher`, issuer = prod) =>
      makeSvid(issuer, id, shape),
    work: (clientId, shown, { form = {}, overrides = {} } = {}) =>
      server
        .client('planner')
        .over(server.connect(shown))
        .token(
          {
            ...WORK,
            client_id: clientId,
            client_assertion: undefined,
            client_assertion_type: undefined,
            ...form,
          },
          overrides,
        ),
    rewrite: (change) =>
      server.rewrite('acme', (documents) => {
        extend(documents, authorities)
        change(documents)
      }),
    close: () => server.close(),
  }
}

type Authorities = Readonly<Record<'corp' | 'prod' | 'registered' | 'outdated', TestCertificate>>

function extend({ tenant, agents, taskTypes }: TenantDocuments, given: Authorities): void {
  tenant['certificate_authorities'] = [
    { id: 'corp', certificates: [given.corp.pem], crl_file: 'corp.crl' },
  ]
  tenant['trust_domains'] = [
    { name: PROD, bundle: { keys: [bundleEntry(given.prod)] } },
    { name: PARTNERS, bundle_file: 'partners.json' },
  ]
  const issued = (name: Readonly<Record<string, string>>) => ({
    method: 'tls_client_auth',
    authority: 'corp',
    ...name,
  })
  const workload = (id: string) => ({ method: 'spiffe_x509', spiffe_id: id })
  const certificates = [given.registered.pem, given.outdated.pem]
  const auths: Readonly<Record<string, unknown>> = {
    planner: issued({ san_uri: NAMES.planner.value }),
    researcher: workload(`spiffe://${PROD}/agents/researcher`),
    coder: { method: 'self_signed_tls_client_auth', certificates },
    'by-dns': issued({ san_dns: NAMES['by-dns'].value }),
    'by-ip': issued({ san_ip: '2001:0DB8:0:0::0001' }),
    'by-mail': issued({ san_email: NAMES['by-mail'].value }),
    'by-subject': issued({ subject_dn: 'CN=agent,OU=agents+L=Bern,O=Acme' }),
    fleet: workload(`spiffe://${PARTNERS}/fleet/*`),
    retired: workload(`spiffe://${PROD}/agents/retired`),
  }
  const rogue = find(agents.agents, 'rogue')
  for (const [id, auth] of Object.entries(auths)) {
    const known = agents.agents.find((agent) => agent['id'] === id)
    const agent = known ?? { ...rogue, id, issuer_clients: undefined, disabled: id === 'retired' }
    if (known === undefined) {
      delete agent['issuer_clients']
      agents.agents.push(agent)
    }
    agent['auth'] = auth
  }
  const [fileWork] = taskTypes.task_types
  taskTypes.task_types.push({
    ...fileWork,
    id: 'own-work',
    basis: 'client',
    openers: agents.agents.map(({ id }) => id),
    subjects_from: [],
    scopes: ['files:read'],
  })
}
