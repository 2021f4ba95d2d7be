/** RFC 5280 §6, by a table of faults: each certificate is sound but for one thing. */
import 'reflect-metadata'
import {
  AuthorityKeyIdentifierExtension,
  Extension,
  GeneralNames,
  SubjectKeyIdentifierExtension,
} from '@peculiar/x509'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Certificate, parseCertificate } from '../../keys/certificate.ts'
import { type PathOutcome, validatePath } from '../../keys/certificate-path.ts'
import {
  type CertificateShape,
  CLIENT_AUTH,
  EMAIL_PROTECTION,
  hoursFromNow,
  makeIntermediate,
  makeLeaf,
  makeRoot,
  makeSelfSigned,
  SERVER_AUTH,
  type TestCertificate,
  unknownExtension,
} from '../support/certificates.ts'

const read = ({ der }: TestCertificate): Certificate => {
  const certificate = parseCertificate(der)
  if (certificate === undefined) throw new Error('not read')
  return certificate
}

interface Presented {
  readonly anchors: readonly TestCertificate[]
  readonly between?: readonly TestCertificate[]
  readonly now?: Date
}

function validate(leaf: TestCertificate, { anchors, between, now }: Presented): PathOutcome {
  return validatePath({
    anchors: anchors.map(read),
    leaf: read(leaf),
    intermediates: (between ?? []).map(({ der }) => der),
    revocation: undefined,
    now: (now ?? new Date()).getTime() / 1000,
  })
}

let root: TestCertificate
let middle: TestCertificate

beforeAll(async () => {
  root = await makeRoot()
  middle = await makeIntermediate(root)
})

describe('a path that holds', () => {
  test('ends when the first of its certificates does', async () => {
    const notAfter = new Date(Math.floor(Date.now() / 1000) * 1000 + 60_000)
    const leaf = await makeLeaf(middle, { notAfter, extendedKeyUsage: [CLIENT_AUTH] })
    const outcome = validate(leaf, { anchors: [root], between: [middle] })
    expect(outcome).toEqual({
      fault: undefined,
      until: notAfter.getTime() / 1000,
      signatureChecks: 2,
    })
  })

  test.each(['P-384', 'P-521', 'Ed25519', 'RSA-2048'] as const)('of %s keys', async (keyKind) => {
    const authority = await makeRoot({ keyKind, subject: `CN=${keyKind}` })
    const leaf = await makeLeaf(authority, { hash: 'SHA-384' })
    expect(validate(leaf, { anchors: [authority] }).fault).toBeUndefined()
  })

  test('whatever else is sent, and in whatever order', async () => {
    const lower = await makeIntermediate(middle, { subject: 'CN=Lower' })
    const leaf = await makeLeaf(lower)
    const stranger = await makeRoot({ subject: 'CN=Stranger' })
    const between = [stranger, lower, root, middle]
    expect(validate(leaf, { anchors: [root], between }).fault).toBeUndefined()
  })

  test('where several authorities have one name', async () => {
    const namesakes = await Promise.all([makeRoot(), makeRoot(), makeRoot()])
    const leaf = await makeLeaf(namesakes[2]!)
    const outcome = validate(leaf, { anchors: namesakes })
    expect(outcome).toMatchObject({ fault: undefined, signatureChecks: 3 })
  })

  test('named by key where certificates name keys', async () => {
    const keyId = (id: string) => [new SubjectKeyIdentifierExtension(id)]
    const [one, two] = await Promise.all([
      makeRoot({ extensions: keyId('01') }),
      makeRoot({ extensions: keyId('02') }),
    ])
    const leaf = await makeLeaf(two, { extensions: [new AuthorityKeyIdentifierExtension('02')] })
    const outcome = validate(leaf, { anchors: [one, two] })
    expect(outcome).toMatchObject({ fault: undefined, signatureChecks: 1 })
  })

  test('an authority that renews itself is not counted', async () => {
    const authority = await makeIntermediate(root, {
      subject: 'CN=Self',
      basicConstraints: { ca: true, pathLength: 0 },
    })
    const renewed = await makeIntermediate(authority, { subject: 'CN=Self' })
    const leaf = await makeLeaf(renewed)
    expect(validate(leaf, { anchors: [authority], between: [renewed] }).fault).toBeUndefined()
  })
})

// E07, SPX-5.1-01
describe('E07 a fault of the client certificate', () => {
  const past = { notBefore: hoursFromNow(-2), notAfter: hoursFromNow(-1) }
  const future = { notBefore: hoursFromNow(1), notAfter: hoursFromNow(2) }
  const constrained = new Extension('2.5.29.30', false, new Uint8Array([0x30, 0]))
  test.each<[string, CertificateShape, string]>([
    ['expired', past, 'certificate_expired'],
    ['not yet valid', future, 'certificate_not_yet_valid'],
    ['for mail', { extendedKeyUsage: [EMAIL_PROTECTION] }, 'certificate_extended_key_usage'],
    ['for servers', { extendedKeyUsage: [SERVER_AUTH] }, 'certificate_extended_key_usage'],
    ['for any purpose', { extendedKeyUsage: ['2.5.29.37.0'] }, 'certificate_extended_key_usage'],
    ['an authority', { basicConstraints: { ca: true } }, 'certificate_is_authority'],
    ['for encryption', { keyUsage: ['keyEncipherment'] }, 'certificate_key_usage'],
    [
      'critical and strange',
      { extensions: [unknownExtension(true)] },
      'certificate_critical_extension',
    ],
    ['with name constraints', { extensions: [constrained] }, 'certificate_name_constraints'],
    ['signed with SHA-1', { hash: 'SHA-1' }, 'certificate_algorithm'],
    ['a weak key', { keyKind: 'RSA-1024' }, 'certificate_key'],
  ])('%s', async (_what, shape, fault) => {
    const leaf = await makeLeaf(root, shape)
    expect(validate(leaf, { anchors: [root] })).toMatchObject({ fault, signatureChecks: 0 })
  })
})

// E07, SPX-5.1-01
describe('E07 a fault above it', () => {
  test.each<[string, CertificateShape, string]>([
    ['no authority', { basicConstraints: { ca: false } }, 'certificate_issuer_is_no_authority'],
    ['not said to be one', { basicConstraints: null }, 'certificate_issuer_is_no_authority'],
    ['may not sign', { keyUsage: ['cRLSign'] }, 'certificate_issuer_key_usage'],
    ['says nothing of usage', { keyUsage: null }, 'certificate_issuer_key_usage'],
    ['expired', { notAfter: hoursFromNow(-0.5) }, 'certificate_expired'],
    ['not yet valid', { notBefore: hoursFromNow(0.5) }, 'certificate_not_yet_valid'],
    [
      'critical and strange',
      { extensions: [unknownExtension(true)] },
      'certificate_critical_extension',
    ],
    ['for mail', { extendedKeyUsage: [EMAIL_PROTECTION] }, 'certificate_extended_key_usage'],
    ['signed with SHA-1', { hash: 'SHA-1' }, 'certificate_algorithm'],
    ['a weak key', { keyKind: 'RSA-1024' }, 'certificate_key'],
  ])('an intermediate: %s', async (_what, shape, fault) => {
    const intermediate = await makeIntermediate(root, shape)
    const leaf = await makeLeaf(intermediate)
    const outcome = validate(leaf, { anchors: [root], between: [intermediate] })
    expect(outcome.fault).toBe(fault)
  })

  test.each<[string, CertificateShape, string]>([
    ['expired', { notAfter: hoursFromNow(-0.5) }, 'certificate_expired'],
    ['no authority', { basicConstraints: null }, 'certificate_issuer_is_no_authority'],
    ['may not sign', { keyUsage: ['digitalSignature'] }, 'certificate_issuer_key_usage'],
  ])('an anchor: %s', async (_what, shape, fault) => {
    const anchor = await makeRoot(shape)
    const outcome = validate(await makeLeaf(anchor), { anchors: [anchor] })
    expect(outcome).toMatchObject({ fault, signatureChecks: 0 })
  })

  test('a client that signs for another client', async () => {
    const client = await makeLeaf(root, { subject: 'CN=Client' })
    const other = await makeLeaf(client)
    const outcome = validate(other, { anchors: [root], between: [client] })
    expect(outcome.fault).toBe('certificate_issuer_is_no_authority')
  })

  test('a longer path than an authority allows', async () => {
    const none = await makeIntermediate(root, {
      subject: 'CN=None',
      basicConstraints: { ca: true, pathLength: 0 },
    })
    const beneath = await makeIntermediate(none, { subject: 'CN=Beneath' })
    const between = [none, beneath]
    expect(validate(await makeLeaf(none), { anchors: [root], between }).fault).toBeUndefined()
    const leaf = await makeLeaf(beneath)
    expect(validate(leaf, { anchors: [root], between }).fault).toBe('certificate_path_length')
    expect(validate(leaf, { anchors: [none], between }).fault).toBe('certificate_path_length')
  })
})

test('E07 nobody is believed where node reads otherwise', async () => {
  const name = new GeneralNames([{ type: 'dn', value: 'CN=Somebody else' }])
  const other = new AuthorityKeyIdentifierExtension({ name, serialNumber: '0badc0de' })
  const leaf = await makeLeaf(root, { extensions: [other] })
  expect(validate(leaf, { anchors: [root] })).toMatchObject({
    fault: 'certificate_second_opinion',
    signatureChecks: 1,
  })
})

// E07, SPCA-x509-02
describe('E07 nobody vouches for it', () => {
  test('a root with the same names', async () => {
    const impostor = await makeRoot()
    const leaf = await makeLeaf(impostor)
    expect(validate(leaf, { anchors: [root] })).toMatchObject({
      fault: 'certificate_signature',
      signatureChecks: 1,
    })
    const between = [impostor]
    expect(validate(leaf, { anchors: [root], between }).fault).toBe('certificate_signature')
  })

  test('intermediates with the same names cost one check, from the anchor down', async () => {
    const impostor = await makeRoot()
    const between = [await makeIntermediate(impostor, { subject: 'CN=Between' })]
    const leaf = await makeLeaf(between[0]!)
    expect(validate(leaf, { anchors: [root], between })).toMatchObject({
      fault: 'certificate_signature',
      signatureChecks: 1,
    })
  })

  test('no anchor at all, or itself', async () => {
    const leaf = await makeLeaf(root)
    const alone = await makeSelfSigned({ subject: 'CN=Test root' })
    for (const presented of [leaf, alone]) {
      expect(validate(presented, { anchors: [] }).fault).toBe('certificate_untrusted')
    }
    expect(validate(alone, { anchors: [root] }).fault).toBe('certificate_signature')
    expect(validate(alone, { anchors: [alone] }).fault).toBe('certificate_issuer_is_no_authority')
  })

  test('an intermediate that was not sent', async () => {
    const leaf = await makeLeaf(middle)
    expect(validate(leaf, { anchors: [root] }).fault).toBe('certificate_untrusted')
  })

  test('names that read alike are not the same', async () => {
    const other = await makeRoot({ subject: 'CN=test root' })
    const leaf = await makeLeaf(root, { issuerName: 'CN=test root' })
    expect(validate(leaf, { anchors: [root] }).fault).toBe('certificate_untrusted')
    expect(validate(leaf, { anchors: [other] }).fault).toBe('certificate_signature')
  })

  test('one byte of its signature, or of what is signed', async () => {
    const leaf = await makeLeaf(root)
    for (const at of [leaf.der.length - 1, leaf.der.length - 90]) {
      const der = Uint8Array.from(leaf.der)
      der[at] = der[at]! ^ 1
      const certificate = parseCertificate(der)
      const outcome = certificate && validate({ ...leaf, der }, { anchors: [root] })
      expect(outcome === undefined || outcome.fault !== undefined).toBe(true)
    }
  })
})

describe('bounded work', () => {
  test('circles end', async () => {
    const keys = root.keys
    const one = await makeIntermediate(root, { subject: 'CN=A', issuerName: 'CN=B', keys })
    const two = await makeIntermediate(root, { subject: 'CN=B', issuerName: 'CN=A', keys })
    const leaf = await makeLeaf(root, { issuerName: 'CN=A' })
    const outcome = validate(leaf, { anchors: [root], between: [one, two] })
    expect(outcome).toMatchObject({ fault: 'certificate_untrusted', signatureChecks: 0 })
  })

  test('eight namesakes in every order cost sixteen checks, and fail', async () => {
    const namesake = { subject: 'CN=Test root' }
    const between = await Promise.all(
      Array.from({ length: 8 }, () => makeIntermediate(root, namesake)),
    )
    const leaf = await makeSelfSigned({ issuerName: 'CN=Test root' })
    const outcome = validate(leaf, { anchors: [root], between })
    expect(outcome.fault).toBe('certificate_untrusted')
    expect(outcome.signatureChecks).toBeLessThanOrEqual(16)
  })

  test('twenty namesakes among the anchors cost sixteen checks', async () => {
    const { keys } = root
    const anchors = await Promise.all(Array.from({ length: 20 }, () => makeRoot({ keys })))
    const leaf = await makeSelfSigned({ issuerName: 'CN=Test root' })
    expect(validate(leaf, { anchors }).signatureChecks).toBe(16)
  })

  test('a path of eight holds, of nine does not, and nine may not be sent', async () => {
    const between: TestCertificate[] = []
    let issuer = root
    for (let at = 0; at < 7; at += 1) {
      issuer = await makeIntermediate(issuer, { subject: `CN=${at}` })
      between.push(issuer)
    }
    const presented = { anchors: [root], between }
    expect(validate(await makeLeaf(between[5]!), presented).fault).toBeUndefined()
    expect(validate(await makeLeaf(between[6]!), presented).fault).toBe('certificate_untrusted')
    const many = { anchors: [root], between: [...between, ...between] }
    expect(validate(await makeLeaf(root), many).fault).toBe('certificate_chain_too_long')
  })

  test('bytes that are no certificates are nobody, and throw nothing', async () => {
    const leaf = read(await makeLeaf(middle))
    const request = { leaf, revocation: undefined, now: Date.now() / 1000 }
    const edits = fc.array(fc.tuple(fc.nat({ max: middle.der.length - 1 }), fc.nat({ max: 255 })), {
      minLength: 1,
      maxLength: 4,
    })
    fc.assert(
      fc.property(edits, (changed) => {
        const der = Uint8Array.from(middle.der)
        for (const [at, byte] of changed) der[at] = byte
        const isSame = Buffer.from(der).equals(Buffer.from(middle.der))
        const outcome = validatePath({ ...request, anchors: [read(root)], intermediates: [der] })
        expect(outcome.fault === undefined).toBe(isSame)
      }),
      { numRuns: 60 },
    )
  })
})
