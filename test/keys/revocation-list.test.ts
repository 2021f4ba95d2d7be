import 'reflect-metadata'
import { Extension } from '@peculiar/x509'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Certificate, parseCertificate } from '../../keys/certificate.ts'
import { validatePath } from '../../keys/certificate-path.ts'
import { readRevocationLists } from '../../keys/revocation-list.ts'
import {
  hoursFromNow,
  makeIntermediate,
  makeLeaf,
  makeRevocationList,
  makeRoot,
  pemOf,
  type TestCertificate,
  unknownExtension,
} from '../support/certificates.ts'

let root: TestCertificate
let middle: TestCertificate
let leaf: TestCertificate
let other: TestCertificate

beforeAll(async () => {
  root = await makeRoot()
  middle = await makeIntermediate(root)
  leaf = await makeLeaf(middle)
  other = await makeLeaf(middle)
})

const read = ({ der }: TestCertificate): Certificate => parseCertificate(der)!
const join = (...lists: readonly Uint8Array[]): Uint8Array =>
  Buffer.from(lists.map((der) => pemOf(der, 'X509 CRL')).join(''))

/** Of `leaf`, by the root and the intermediate. */
function faultBy(file: Uint8Array): string | undefined {
  const revocation = readRevocationLists(file)
  if (revocation === undefined) return 'unreadable'
  const { fault } = validatePath({
    anchors: [read(root)],
    leaf: read(leaf),
    intermediates: [middle.der],
    revocation,
    now: Date.now() / 1000,
  })
  return fault
}

describe('E07 revocation', () => {
  test('who is on no list stands, until the first list ends', async () => {
    const nextUpdate = new Date(Math.floor(Date.now() / 1000) * 1000 + 30_000)
    const lists = [await makeRevocationList(root), await makeRevocationList(middle, { nextUpdate })]
    const revocation = readRevocationLists(join(...lists))!
    const request = { anchors: [read(root)], leaf: read(leaf), intermediates: [middle.der] }
    const outcome = validatePath({ ...request, revocation, now: Date.now() / 1000 })
    expect(outcome).toMatchObject({ fault: undefined, until: nextUpdate.getTime() / 1000 })
  })

  test('the client, and nobody else of its authority', async () => {
    const ofRoot = await makeRevocationList(root)
    const on = (revoked: readonly TestCertificate[]) => makeRevocationList(middle, { revoked })
    expect(faultBy(join(ofRoot, await on([other, leaf])))).toBe('certificate_revoked')
    expect(faultBy(join(ofRoot, await on([other])))).toBeUndefined()
  })

  test('the authority of the client', async () => {
    const lists = [
      await makeRevocationList(root, { revoked: [middle] }),
      await makeRevocationList(middle),
    ]
    expect(faultBy(join(...lists))).toBe('certificate_revoked')
  })

  test('a serial number counts for its issuer alone', async () => {
    const serial = leaf.certificate.serialNumber
    const namesake = await makeIntermediate(root, { subject: 'CN=Elsewhere', serial })
    const lists = [
      await makeRevocationList(root, { revoked: [namesake] }),
      await makeRevocationList(middle),
    ]
    expect(faultBy(join(...lists))).toBeUndefined()
  })

  test('a list as DER alone', async () => {
    expect(faultBy(await makeRevocationList(root))).toBe('revocation_list_missing')
  })
})

describe('a list that says nothing certain refuses', () => {
  const withMiddle = async (
    shape: Parameters<typeof makeRevocationList>[1],
    issuer = middle,
  ): Promise<string | undefined> =>
    faultBy(join(await makeRevocationList(root), await makeRevocationList(issuer, shape)))

  test('stale, not begun, without an end', async () => {
    const stale = { thisUpdate: hoursFromNow(-2), nextUpdate: hoursFromNow(-1) }
    expect(await withMiddle(stale)).toBe('revocation_list_stale')
    const early = { thisUpdate: hoursFromNow(1), nextUpdate: hoursFromNow(2) }
    expect(await withMiddle(early)).toBe('revocation_list_not_yet_valid')
    expect(await withMiddle({ nextUpdate: null })).toBe('unreadable')
  })

  test('who is on a stale list is revoked', async () => {
    const stale = { thisUpdate: hoursFromNow(-2), nextUpdate: hoursFromNow(-1), revoked: [leaf] }
    expect(await withMiddle(stale)).toBe('certificate_revoked')
  })

  test('signed by another, or by one who may not', async () => {
    const impostor = await makeIntermediate(root)
    expect(await withMiddle({}, impostor)).toBe('revocation_list_signature')
    const issuerName = 'CN=Test intermediate'
    expect(await withMiddle({ issuerName }, root)).toBe('revocation_list_signature')
    expect(await withMiddle({ hash: 'SHA-1' })).toBe('revocation_list_signature')
    const silent = await makeIntermediate(root, { subject: 'CN=Silent', keyUsage: ['keyCertSign'] })
    const client = await makeLeaf(silent)
    const file = join(await makeRevocationList(root), await makeRevocationList(silent))
    const fault = readRevocationLists(file)?.findFault(
      read(client),
      read(silent),
      Date.now() / 1000,
    )
    expect(fault).toBe('revocation_list_signature')
  })

  test('of differences, about others, or with what nobody understands', async () => {
    const integer = new Uint8Array([2, 1, 1])
    const sequence = new Uint8Array([0x30, 0])
    for (const extension of [
      new Extension('2.5.29.27', true, integer),
      new Extension('2.5.29.27', false, integer),
      new Extension('2.5.29.28', true, sequence),
      new Extension('2.5.29.28', false, sequence),
      unknownExtension(true),
    ]) {
      expect(await withMiddle({ extensions: [extension] })).toBe('unreadable')
    }
    expect(await withMiddle({ extensions: [unknownExtension(false)] })).toBeUndefined()
  })

  test('whatever is changed in a list, reading it ends, throws nothing and revokes nobody less', async () => {
    const lists = [
      await makeRevocationList(root),
      await makeRevocationList(middle, { revoked: [leaf] }),
    ]
    const [ofRoot, ofMiddle] = lists as [Uint8Array, Uint8Array]
    const edits = fc.array(fc.tuple(fc.nat({ max: ofMiddle.length - 1 }), fc.nat({ max: 255 })), {
      minLength: 1,
      maxLength: 4,
    })
    fc.assert(
      fc.property(edits, (changed) => {
        const der = Uint8Array.from(ofMiddle)
        for (const [at, byte] of changed) der[at] = byte
        expect(faultBy(join(ofRoot, der))).toEqual(expect.any(String))
      }),
      { numRuns: 60 },
    )
  })

  test('no list at all', async () => {
    const list = await makeRevocationList(root)
    const files = [new Uint8Array(), Buffer.from('text'), list.subarray(1), leaf.der]
    for (const file of [...files, Buffer.from(leaf.pem), Buffer.concat([list, list])]) {
      expect(faultBy(file)).toBe('unreadable')
    }
  })
})
