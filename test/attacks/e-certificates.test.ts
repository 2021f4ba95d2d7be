/** Threats E of client certificates, each shown in a real handshake: who holds the key, and whom its own authority says that is. */
import type { JsonGeneralName } from '@peculiar/x509'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ASSERTION_TYPE } from '../support/agent-client.ts'
import {
  type CertificateShape,
  EMAIL_PROTECTION,
  hoursFromNow,
  makeIntermediate,
  makeLeaf,
  makeRoot,
  makeSelfSigned,
  SERVER_AUTH,
  type TestCertificate,
} from '../support/certificates.ts'
import {
  type CertificateStage,
  type More,
  NAMES,
  PARTNERS,
  PROD,
  type Shown,
  setCertificateStage,
} from './certificate-stage.ts'
import { find } from './fixture.ts'
import { expectGranted, expectRefusal, expectRefused } from './refusal.ts'
import { FAILED } from './workload-stage.ts'

let stage: CertificateStage
beforeAll(async () => {
  stage = await setCertificateStage()
})
afterAll(() => stage.close())

const granted = (client: string, shown: Shown, more?: More) =>
  expectGranted(stage.server, () => stage.work(client, shown, more))
const refused = (client: string | undefined, shown: Shown, guard: string, more?: More) =>
  expectRefusal(stage.server, { reason: FAILED, guard }, () => stage.work(client, shown, more))

const EXPIRED = { notBefore: hoursFromNow(-2), notAfter: hoursFromNow(-1) }
const FUTURE = { notBefore: hoursFromNow(1), notAfter: hoursFromNow(2) }

// 8705-2-01, 8705-2-02, 8705-2.1-01
describe('E07 a certificate of an authority', () => {
  let sound: TestCertificate
  beforeAll(async () => {
    sound = await stage.planners()
  })
  const shown = (certificate: TestCertificate): Shown => ({ certificate, chain: [stage.issuing] })

  test('E07 a sound one is taken, as often as it comes, and goes on record by its thumbprint', async () => {
    for (let time = 0; time < 2; time += 1) {
      const claims = await granted('planner', shown(sound))
      expect(claims).toMatchObject({ client_id: 'planner', sub: 'planner' })
    }
    expect(stage.server.audit().at(-1)).toMatchObject({
      client_auth: 'tls_client_auth',
      credential: sound.thumbprint,
    })
  })

  test.each<[string, CertificateShape, string]>([
    ['expired', EXPIRED, 'certificate_expired'],
    ['not yet valid', FUTURE, 'certificate_not_yet_valid'],
    ['for mail', { extendedKeyUsage: [EMAIL_PROTECTION] }, 'certificate_extended_key_usage'],
    ['for servers', { extendedKeyUsage: [SERVER_AUTH] }, 'certificate_extended_key_usage'],
    ['of an authority', { basicConstraints: { ca: true } }, 'certificate_is_authority'],
  ])('E07 %s', async (_what, shape, guard) => {
    await refused('planner', shown(await stage.planners(shape)), guard)
  })

  test('E07 an untrusted root with the same names', async () => {
    const { impostor, planners, issuing } = stage
    const direct = await planners({}, impostor)
    await refused('planner', { certificate: direct }, 'certificate_signature')
    const between = await makeIntermediate(impostor, { subject: 'CN=Issuing' })
    const certificate = await planners({}, between)
    const guard = 'certificate_signature'
    await refused('planner', { certificate, chain: [between] }, guard)
    await refused('planner', { certificate, chain: [between, impostor] }, guard)
    await refused('planner', { certificate, chain: [issuing] }, guard)
  })

  test('E07 its own root, sent beside, is nobody', async () => {
    const own = await makeRoot({ subject: 'CN=Mine' })
    const certificate = await stage.planners({}, own)
    await refused('planner', { certificate, chain: [own] }, 'certificate_untrusted')
    const alone = await makeSelfSigned({ names: [NAMES.planner] })
    await refused('planner', { certificate: alone }, 'certificate_untrusted')
  })

  test('E07 revoked, or beneath one that is', async () => {
    const { lost, withdrawn, planners } = stage
    await refused('planner', shown(lost), 'certificate_revoked')
    const certificate = await planners({}, withdrawn)
    await refused('planner', { certificate, chain: [withdrawn] }, 'certificate_revoked')
  })

  test('E07 beneath an authority whose list is not at hand', async () => {
    const unlisted = await makeIntermediate(stage.corp, { subject: 'CN=Unlisted' })
    const certificate = await stage.planners({}, unlisted)
    await refused('planner', { certificate, chain: [unlisted] }, 'revocation_list_missing')
  })

  test('E07 a path longer than its authority allows', async () => {
    const { issuing, planners } = stage
    const beneath = await makeIntermediate(issuing, { subject: 'CN=Beneath' })
    const certificate = await planners({}, beneath)
    const chain = [beneath, issuing]
    await refused('planner', { certificate, chain }, 'certificate_path_length')
  })

  test('E07 an intermediate that is no authority: another client', async () => {
    const client = await makeLeaf(stage.corp, { subject: 'CN=Client' })
    const certificate = await stage.planners({}, client)
    const guard = 'certificate_issuer_is_no_authority'
    await refused('planner', { certificate, chain: [client] }, guard)
  })

  test('E07 the authority itself', async () => {
    const authority = await makeIntermediate(stage.corp, { names: [NAMES.planner] })
    await refused('planner', { certificate: authority }, 'certificate_is_authority')
  })

  test('E07 another client of the same authority', async () => {
    await refused('by-dns', shown(sound), 'certificate_subject')
    await refused('researcher', shown(sound), 'svid_id')
  })
})

// 8705-2.1-01, 8705-2.1.2-02
describe('E07 one name, and exactly that', () => {
  const shownWith = async (shape: CertificateShape): Promise<Shown> => ({
    certificate: await makeLeaf(stage.issuing, shape),
    chain: [stage.issuing],
  })
  const { value: uri } = NAMES.planner

  test.each([
    `${uri}/x`,
    uri.slice(0, -1),
    `${uri}?x`,
    uri.toUpperCase(),
    uri.replace('https', 'HTTPS'),
    uri.replace('planner', '*'),
    uri.replace('planner', 'pl%61nner'),
    `x${uri}`,
    `${uri}\u0000`,
    'https://*',
  ])('E07 refuses the URI %j', async (value) => {
    await refused(
      'planner',
      await shownWith({ names: [{ type: 'url', value }] }),
      'certificate_subject',
    )
  })

  test.each(['*.acme.example', 'agent.acme.example.evil', 'x.agent.acme.example', 'acme.example'])(
    'E07 refuses the DNS name %j',
    async (value) => {
      const shown = await shownWith({ names: [{ type: 'dns', value }] })
      await refused('by-dns', shown, 'certificate_subject')
    },
  )

  test('E07 a DNS name has no case; what is before the host of a mail address has', async () => {
    const dns = { type: 'dns', value: 'aGENT.ACME.example' } as const
    await granted('by-dns', await shownWith({ names: [dns] }))
    const host = { type: 'email', value: 'Agent@ACME.example' } as const
    await granted('by-mail', await shownWith({ names: [host] }))
    const box = { type: 'email', value: 'agent@acme.example' } as const
    await refused('by-mail', await shownWith({ names: [box] }), 'certificate_subject')
  })

  // 8705-2.1.2-02
  test('E07 an address is compared as the number it is', async () => {
    await granted('by-ip', await shownWith({ names: [NAMES['by-ip']] }))
    for (const value of ['2001:db8::2', '32.1.13.184']) {
      const shown = await shownWith({ names: [{ type: 'ip', value }] })
      await refused('by-ip', shown, 'certificate_subject')
    }
  })

  test('E07 a name of another kind, or in the subject, is another name', async () => {
    const [dns, ip] = [NAMES['by-dns'].value, NAMES['by-ip'].value]
    const guard = 'certificate_subject'
    await refused('by-dns', await shownWith({ names: [{ type: 'url', value: dns }] }), guard)
    await refused('by-dns', await shownWith({ subject: `CN=${dns}` }), guard)
    await refused('by-ip', await shownWith({ names: [{ type: 'dns', value: ip }] }), guard)
    await refused('planner', await shownWith({ subject: `CN=${uri}` }), guard)
  })

  test('E07 a subject is compared by its parts', async () => {
    // The library writes parts in the order of the text; a distinguished name begins with the last (RFC 4514 §2.1).
    await granted('by-subject', await shownWith({ subject: 'O=Acme,L=Bern+OU=agents,CN=agent' }))
    for (const subject of [
      'CN=agent,L=Bern+OU=agents,O=Acme',
      'O=Acme,OU=agents,L=Bern,CN=agent',
      'O=Acme,L=Bern+OU=agents,CN=Agent',
      'O=Acme,L=Bern+OU=agents,CN=agent,CN=other',
      String.raw`CN=agent\,OU=agents+L=Bern\,O=Acme`,
    ]) {
      await refused('by-subject', await shownWith({ subject }), 'certificate_subject')
    }
  })
})

// 8705-2.2-01
describe('E07 a registered certificate', () => {
  test('E07 is taken, on record by its thumbprint', async () => {
    const { registered, server } = stage
    await granted('coder', { certificate: registered })
    expect(server.audit().at(-1)).toMatchObject({
      client_auth: 'self_signed_tls_client_auth',
      credential: registered.thumbprint,
    })
  })

  test('E07 not another one of the same key, name and number', async () => {
    const { keys, certificate } = stage.registered
    const again = await makeSelfSigned({ keys, serial: certificate.serialNumber })
    await refused('coder', { certificate: again }, 'certificate_not_registered')
  })

  test('E07 not after its time', async () => {
    await refused('coder', { certificate: stage.outdated }, 'certificate_expired')
  })

  test('E07 not for another client, and nobody vouches with it', async () => {
    const { registered } = stage
    await refused('planner', { certificate: registered }, 'certificate_subject')
    const beneath = await makeLeaf(registered)
    const chain = [registered]
    await refused('coder', { certificate: beneath, chain }, 'certificate_not_registered')
  })
})

describe('E07 an X.509-SVID', () => {
  // SPCA-x509-01
  test('E07 a sound one is taken, on record by its SPIFFE ID', async () => {
    const certificate = await stage.svid()
    await granted('researcher', { certificate })
    const id = `spiffe://${PROD}/agents/researcher`
    expect(stage.server.audit().at(-1)).toMatchObject({
      client_auth: 'spiffe_x509',
      credential: id,
    })
    const claims = await granted(id, { certificate })
    expect(claims).toMatchObject({ client_id: 'researcher' })
  })

  // SPX-2-01, SPX-3.1-01, SPX-3.2-01, SPX-4.3-01, SPX-4.4-01, SPX-5.1-01, SPCA-x509-03
  test.each<[string, CertificateShape, string]>([
    [
      'two URIs',
      {
        names: [
          { type: 'url', value: `spiffe://${PROD}/agents/researcher` },
          { type: 'url', value: `spiffe://${PROD}/agents/planner` },
        ],
      },
      'svid_uri_count',
    ],
    ['no URI', { names: [{ type: 'dns', value: 'researcher' }] }, 'svid_uri_count'],
    ['a CA', { basicConstraints: { ca: true } }, 'certificate_is_authority'],
    ['keyCertSign', { keyUsage: ['digitalSignature', 'keyCertSign'] }, 'svid_key_usage'],
    ['cRLSign', { keyUsage: ['digitalSignature', 'cRLSign'] }, 'svid_key_usage'],
    ['no digitalSignature', { keyUsage: ['keyAgreement'] }, 'svid_key_usage'],
    ['no key usage', { keyUsage: null }, 'svid_key_usage'],
    ['key usage that is not critical', { keyUsageCritical: false }, 'svid_key_usage'],
    ['mail as its purpose', { extendedKeyUsage: [EMAIL_PROTECTION] }, 'svid_extended_key_usage'],
    ['servers as its purpose', { extendedKeyUsage: [SERVER_AUTH] }, 'svid_extended_key_usage'],
    ['an end', EXPIRED, 'certificate_expired'],
    ['no beginning yet', FUTURE, 'certificate_not_yet_valid'],
  ])('E07 refuses one with %s', async (_what, shape, guard) => {
    await refused('researcher', { certificate: await stage.svid(shape) }, guard)
  })

  // SPX-3.1-01, SPID-2-01 to SPID-2.4-01
  test.each([
    `spiffe://${PROD}`,
    `spiffe://${PROD}/`,
    `spiffe://${PROD}/agents/./researcher`,
    `spiffe://${PROD}/agents/%72esearcher`,
    `spiffe://${PROD.toUpperCase()}/agents/researcher`,
    `https://${PROD}/agents/researcher`,
  ])('E07 refuses the SPIFFE ID %j', async (id) => {
    await refused('researcher', { certificate: await stage.svid({}, id) }, 'svid_id')
  })

  test.each(['agents/researcher/x', 'agents/Researcher', 'agents', 'agents/planner'])(
    'E07 refuses the workload %j',
    async (path) => {
      const certificate = await stage.svid({}, `spiffe://${PROD}/${path}`)
      await refused('researcher', { certificate }, 'certificate_subject')
    },
  )

  // SPX-2-01
  test('E07 other kinds of names beside the URI are nobody’s business', async () => {
    const names = [
      { type: 'url', value: `spiffe://${PROD}/agents/researcher` },
      { type: 'dns', value: 'researcher.agents' },
    ] as const
    await granted('researcher', { certificate: await stage.svid({ names: [...names] }) })
  })

  // SPCA-x509-02, SPF-4.2-01
  test('E07 its own trust domain vouches for it, and no other', async () => {
    const { svid, partners, prod, corp, work } = stage
    const foreign = await svid({}, undefined, partners)
    await refused('researcher', { certificate: foreign }, 'certificate_signature')
    const cross = await svid({}, `spiffe://${PARTNERS}/fleet/one`, prod)
    await refused('fleet', { certificate: cross }, 'certificate_signature')
    const corporate = await svid({}, undefined, corp)
    await refused('researcher', { certificate: corporate }, 'certificate_untrusted')
    expect((await work('fleet', { certificate: cross })).status).toBe(401)
  })

  // SPCA-reg-01
  test('E07 one of a fleet is beneath its name, by whole segments', async () => {
    const { svid, partners } = stage
    const of = (path: string) => svid({}, `spiffe://${PARTNERS}/${path}`, partners)
    await granted('fleet', { certificate: await of('fleet/one') })
    const one = await of('fleet/two/a')
    await granted(`spiffe://${PARTNERS}/fleet/two/a`, { certificate: one })
    await refused('fleet', { certificate: await of('fleets/one') }, 'certificate_subject')
    await refused('fleet', { certificate: await of('fleet') }, 'certificate_subject')
    const other = `spiffe://${PARTNERS}/fleet/two/b`
    await refused(other, { certificate: one }, 'client_id_mismatch')
  })

  // SPX-5.1-01
  test('E07 intermediates are authorities', async () => {
    const { prod, svid } = stage
    const authority = await makeIntermediate(prod, { subject: 'O=SPIRE,CN=Lower' })
    const below = await svid({}, undefined, authority)
    await granted('researcher', { certificate: below, chain: [authority] })
    for (const [shape, guard] of [
      [{ basicConstraints: { ca: false } }, 'certificate_issuer_is_no_authority'],
      [{ keyUsage: ['digitalSignature'] as const }, 'certificate_issuer_key_usage'],
    ] as const) {
      const between = await makeIntermediate(prod, { subject: 'CN=Wrong', ...shape })
      const certificate = await svid({}, undefined, between)
      await refused('researcher', { certificate, chain: [between] }, guard)
    }
  })
})

describe('E01 one method, and the client’s own', () => {
  test('E01 nothing at all', async () => {
    await refused('planner', {}, 'client_credentials_missing')
    await refused('researcher', {}, 'client_credentials_missing')
  })

  // 8705-2-01
  test('E01 a certificate alone does not say whose it is', async () => {
    const certificate = await stage.svid()
    await refused(undefined, { certificate }, 'client_id_missing')
    await refused('', { certificate }, 'client_id_missing')
  })

  test('E01 an agent with a key has no certificate, and the other way round', async () => {
    const { server, svid, registered } = stage
    const rogue = server.client('rogue')
    await refused('rogue', { certificate: registered }, 'method_mismatch')
    const assertion = server.client('researcher').assertion()
    const form = { client_assertion: assertion, client_assertion_type: ASSERTION_TYPE }
    // The certificate is sound; the assertion is what was sent to authenticate by.
    const certificate = await svid()
    await refused('researcher', { certificate }, 'assertion_key_unknown', { form })
    const own = { client_assertion: rogue.assertion(), client_assertion_type: ASSERTION_TYPE }
    await refused('researcher', { certificate }, 'client_id_mismatch', { form: own })
  })

  test('E01 a secret beside it is looked at, and fails', async () => {
    const { server, svid } = stage
    const certificate = await svid()
    const form = { client_secret: 'x' }
    const expected = { reason: FAILED } as const
    await expectRefusal(server, expected, () => stage.work('researcher', { certificate }, { form }))
  })
})

describe('E09 a disabled agent', () => {
  test('E09 is refused, whatever vouches for it', async () => {
    const certificate = await stage.svid({}, `spiffe://${PROD}/agents/retired`)
    await refused('retired', { certificate }, 'agent_inactive')
    await refused(`spiffe://${PROD}/agents/retired`, { certificate }, 'agent_inactive')
  })
})

describe('E10 a recycled name', () => {
  test('E09 E10 a certificate that stood is nobody’s once its agent is disabled, or another has its name', async () => {
    const { server, issuing } = stage
    const leafOf = async (name: JsonGeneralName): Promise<Shown> => ({
      certificate: await makeLeaf(issuing, { names: [name] }),
      chain: [issuing],
    })
    const [before, disabled] = [await leafOf(NAMES['by-dns']), await leafOf(NAMES['by-mail'])]
    await granted('by-dns', before)
    await granted('by-mail', disabled)
    await server.stop()
    stage.rewrite(({ agents }) => {
      find(agents.agents, 'by-mail')['disabled'] = true
      const auth = find(agents.agents, 'by-dns')['auth'] as Record<string, unknown>
      auth['san_dns'] = 'next.acme.example'
    })
    await server.start()
    // The start puts on record what it ended, while these come.
    expectRefused(await stage.work('by-dns', before), FAILED)
    expectRefused(await stage.work('by-mail', disabled), FAILED)
    const guards = server.audit().flatMap(({ guard }) => guard ?? [])
    expect(guards.slice(-2)).toEqual(['certificate_subject', 'agent_inactive'])
    const next = await leafOf({ type: 'dns', value: 'next.acme.example' })
    expect((await stage.work('by-dns', next)).status).toBe(200)
  })
})

describe('E11 probing for clients', () => {
  test('E11 unknown, known, disabled and of another method read the same', async () => {
    const { svid, planners, impostor, registered, server } = stage
    const foreign = await svid({}, `spiffe://${PROD}/agents/nobody`)
    const forged = await planners({}, impostor)
    const answers: unknown[] = []
    for (const [client, certificate] of [
      ['no-such-client', foreign],
      [`spiffe://${PROD}/agents/nobody`, foreign],
      ['planner', foreign],
      ['planner', forged],
      ['researcher', foreign],
      ['retired', foreign],
      ['coder', foreign],
      ['rogue', registered],
      ['files-api', foreign],
      ['__proto__', foreign],
    ] as const) {
      const send = () => stage.work(client, { certificate })
      const answer = await expectRefusal(server, { reason: FAILED }, send)
      const headers = Object.fromEntries(answer.headers)
      delete headers['date']
      answers.push({ ...answer, headers, text: '', body: { ...answer.body, error_ref: '' } })
    }
    for (const answer of answers) expect(answer).toEqual(answers[0])
  })

  test('E11 introspection and revocation answer a stranger as the token endpoint does', async () => {
    const { server, svid } = stage
    const certificate = await svid({}, `spiffe://${PROD}/agents/nobody`)
    for (const endpoint of ['introspect', 'revoke']) {
      for (const client_id of ['researcher', 'no-such-client']) {
        const form = { client_id, client_assertion: undefined, client_assertion_type: undefined }
        const client = server.client('planner').over(server.connect({ certificate }))
        await expectRefusal(server, { reason: FAILED }, () =>
          client.post(endpoint, { token: 'x', ...form }),
        )
      }
    }
  })
})
