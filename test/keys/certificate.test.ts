import 'reflect-metadata'
import { SubjectKeyIdentifierExtension } from '@peculiar/x509'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { parseCertificate } from '../../keys/certificate.ts'
import { isWholeDer, readFrame } from '../../keys/der.ts'
import { readPem } from '../../keys/pem.ts'
import {
  CLIENT_AUTH,
  makeLeaf,
  makeRoot,
  makeSvid,
  SERVER_AUTH,
  type TestCertificate,
  unknownExtension,
} from '../support/certificates.ts'

/** RFC 8705 Appendix A, figure 6. */
const RFC_8705 = `-----BEGIN CERTIFICATE-----
MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAx
ODEyMzcwOVoXDTIyMDUwMjEyMzcwOVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqG
SM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ
/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwID
SQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOV
bUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY=
-----END CERTIFICATE-----
`

let root: TestCertificate
let svid: TestCertificate

beforeAll(async () => {
  root = await makeRoot()
  svid = await makeSvid(root, 'spiffe://d.example/a')
})

describe('what a certificate says', () => {
  test('8705-3-01: x5t#S256 of the certificate in RFC 8705 Appendix A', () => {
    const [der] = readPem(RFC_8705, 'CERTIFICATE') ?? []
    const certificate = parseCertificate(der!)
    expect(certificate?.thumbprint).toBe('A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0')
    expect(certificate?.subjectName).toEqual([[{ type: '2.5.4.3', value: 'mtls' }]])
    expect(certificate?.notAfter).toBe(Date.parse('2022-05-02T12:37:09Z') / 1000)
    expect(certificate?.serial).toBe('2')
    // A version 1 certificate has no extensions: it is for nothing in particular.
    expect(certificate?.keyUsage).toBeUndefined()
    expect(certificate?.authority).toBeUndefined()
  })

  test('usages, purposes and names', async () => {
    const leaf = await makeLeaf(root, {
      keyUsage: ['digitalSignature', 'keyAgreement'],
      keyUsageCritical: false,
      extendedKeyUsage: [CLIENT_AUTH, SERVER_AUTH],
      names: [
        { type: 'url', value: 'spiffe://d/a' },
        { type: 'url', value: 'https://a.example' },
        { type: 'dns', value: 'A.example' },
        { type: 'email', value: 'Mail@A.example' },
        { type: 'ip', value: '2001:db8::1' },
        { type: 'ip', value: '10.0.0.1' },
        { type: 'dn', value: 'CN=x' },
      ],
    })
    const certificate = parseCertificate(leaf.der)
    expect(certificate).toMatchObject({
      thumbprint: leaf.thumbprint,
      keyUsage: { usages: new Set(['digitalSignature', 'keyAgreement']), critical: false },
      extendedKeyUsage: [CLIENT_AUTH, SERVER_AUTH],
      names: {
        uri: ['spiffe://d/a', 'https://a.example'],
        dns: ['A.example'],
        email: ['Mail@A.example'],
      },
      unknownCritical: [],
      hasNameConstraints: false,
    })
    expect(certificate?.names.ip).toHaveLength(2)
  })

  test('an authority says so', () => {
    expect(parseCertificate(root.der)?.authority).toEqual({ pathLength: undefined })
    expect(parseCertificate(svid.der)?.authority).toBeUndefined()
  })

  test('critical extensions nobody knows', async () => {
    const [critical, not] = await Promise.all([
      makeLeaf(root, { extensions: [unknownExtension(true)] }),
      makeLeaf(root, { extensions: [unknownExtension(false)] }),
    ])
    expect(parseCertificate(critical.der)?.unknownCritical).toEqual(['1.3.6.1.4.1.99999.1'])
    expect(parseCertificate(not.der)?.unknownCritical).toEqual([])
  })

  test('no extension twice', async () => {
    const again = new SubjectKeyIdentifierExtension('01')
    const leaf = await makeLeaf(root, { extensions: [again, again] })
    expect(parseCertificate(leaf.der)).toBeUndefined()
  })
})

describe('bytes that are none', () => {
  test('nothing before, nothing after, nothing missing', () => {
    const { der } = svid
    expect(isWholeDer(der)).toBe(true)
    for (const bytes of [
      new Uint8Array(),
      Uint8Array.of(0x30),
      Uint8Array.of(0x30, 0x80, 0, 0),
      Uint8Array.of(0x30, 0x85, 0, 0, 0, 0, 0),
      Uint8Array.of(...der, 0),
      Uint8Array.of(0, ...der),
      der.subarray(0, -1),
      new TextEncoder().encode(svid.pem),
      new Uint8Array(20_000),
    ]) {
      expect(parseCertificate(bytes)).toBeUndefined()
      expect(readFrame(bytes)).toBeUndefined()
    }
  })

  test('whatever is changed in a certificate, reading it ends and throws nothing', () => {
    const positions = fc.nat({ max: svid.der.length - 1 })
    const changes = fc.array(fc.tuple(positions, fc.nat({ max: 255 })), { maxLength: 6 })
    fc.assert(
      fc.property(changes, (edits) => {
        const bytes = Uint8Array.from(svid.der)
        for (const [at, byte] of edits) bytes[at] = byte
        const parsed = parseCertificate(bytes)
        expect(parsed === undefined || parsed.names.uri.length >= 0).toBe(true)
      }),
      { numRuns: 150 },
    )
  })

  test('nesting that goes very deep is read no further than it is long', () => {
    // 0x30 0x82 hh ll, four bytes a level.
    let bytes = Buffer.alloc(0)
    for (let depth = 0; depth < 4000; depth += 1) {
      const head = Buffer.from([0x30, 0x82, bytes.length >> 8, bytes.length & 0xff])
      bytes = Buffer.concat([head, bytes])
    }
    expect(parseCertificate(bytes)).toBeUndefined()
  })
})

test('PEM has blocks of one kind and nothing else', () => {
  expect(readPem(root.pem + svid.pem, 'CERTIFICATE')).toHaveLength(2)
  for (const text of ['', 'text', `# ca\n${root.pem}`, `${root.pem}${root.keyPem}`, root.keyPem]) {
    expect(readPem(text, 'CERTIFICATE')).toBeUndefined()
  }
  expect(readPem(root.pem, 'X509 CRL')).toBeUndefined()
})
