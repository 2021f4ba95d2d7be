import { generateKeyPairSync } from 'node:crypto'
import {
  cosignedText,
  formatCheckpoint,
  formatNote,
  parseCheckpoint,
  parseNote,
  stampedSignature,
  verifyCheckpoint,
  verifyCosignature,
} from '@actchain/verifier/audit'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { checkSignature, signatureOf } from '../../../lib/src/audit/note-signature.ts'
import { parseVkey } from '../../../lib/src/audit/vkey.ts'
import { rootOf } from '../../support/naive-tree.ts'
import {
  aCheckpoint,
  aSigner,
  ORIGIN,
  outcomeOf,
  type Signer,
  utf8,
} from '../../support/proven-log.ts'

const LEAVES = ['a', 'b', 'c'].map(utf8)
const ROOT = rootOf(LEAVES)
const TEXT = formatCheckpoint({ origin: ORIGIN, size: 3, root: ROOT })

let log: Signer
let witness: Signer
beforeAll(async () => {
  log = await aSigner(ORIGIN)
  witness = await aSigner('witness.example/w1', 'cosignature/v1')
})
const signedBy = async (text: string, ...signers: readonly Signer[]): Promise<string> =>
  formatNote({ text, signatures: await Promise.all(signers.map((signer) => signer.sign(text))) })

describe('published notes', () => {
  test('sumdb/note: its example verifies, and nothing near it', async () => {
    const key = await parseVkey(
      'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
    )
    const { text, signatures } = parseNote(
      "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n",
    )
    const signature = signatureOf({ text, signatures }, key)
    await checkSignature(key, text, signature)
    expect(await outcomeOf(checkSignature(key, `${text}\n`, signature))).toBe('signature_invalid')
    expect(await outcomeOf(checkSignature(key, text, signature.slice(1)))).toBe('signature_invalid')
  })

  test('tessera: the checkpoint of a log with its name', async () => {
    const note =
      'example.com/log/testdata\n100270\nGRV1O0dCqmjjPvYi7CtOT79zb/fPwLNsMFWsynwU8Ac=\n\n— example.com/log/testdata M9e0lkcvy5bAe7rrC8tCyAP+my+CLzswA91zOpBNWVU7qCojkUOHnfdQzDImoYeYH8G8PJSwOqsx0RkSa261OmKVwwM=\n'
    const vkey = 'example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx'
    expect(await verifyCheckpoint(note, vkey)).toMatchObject({ size: 100_270 })
    expect(await outcomeOf(verifyCheckpoint(note.replace('270', '271'), vkey))).toBe(
      'signature_invalid',
    )
  })

  test('sum.golang.org: signed, and of a log that has another name than its key', async () => {
    const note =
      'go.sum database tree\n15081221\nBoMMe1wd25Tco0mYGROkyqxHZWx+hcSCtMV315Lu6Lg=\n\n— sum.golang.org Az3grilD7vQqTrv66jRgKM84Y80KTprrSt4bKmiOPxgmS5ZVBTeCl6dUvjYnN13R+C8j0jGY1WnUADGMkok3U0m2Zgo=\n'
    const vkey = 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8'
    expect(await outcomeOf(verifyCheckpoint(note, vkey))).toBe('origin_mismatch')
  })

  test('tlog-cosignature: its example says when', () => {
    const { text, signatures } = parseNote(
      'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n',
    )
    expect(parseCheckpoint(text)).toMatchObject({
      origin: 'example.com/behind-the-sofa',
      size: 20_852_163,
    })
    const stamped = signatures[1]?.signature ?? expect.unreachable()
    expect(stampedSignature(1_679_315_147, stamped.slice(8))).toEqual(stamped)
    expect(cosignedText(text, 1_679_315_147)).toBe(
      'cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n',
    )
  })
})

describe('a checkpoint', () => {
  test('is what the log with the key signed, whoever else did', async () => {
    const expected = { origin: ORIGIN, size: 3, root: new Uint8Array(ROOT) }
    for (const signers of [[log], [log, witness], [witness, log]])
      expect(await verifyCheckpoint(await aCheckpoint(LEAVES, signers), log.vkey)).toEqual(expected)
  })

  test('may be of a log without entries, and may have lines that mean nothing here', async () => {
    const none = formatCheckpoint({ origin: ORIGIN, size: 0, root: rootOf([]) })
    expect((await verifyCheckpoint(await signedBy(none, log), log.vkey)).size).toBe(0)
    const more = `${TEXT}anything\nat all\n`
    expect((await verifyCheckpoint(await signedBy(more, log), log.vkey)).size).toBe(3)
  })

  test('is none without the signature of the key', async () => {
    const other = await aSigner(ORIGIN)
    const note = await aCheckpoint(LEAVES, [other, witness])
    expect(await outcomeOf(verifyCheckpoint(note, log.vkey))).toBe('signature_missing')
  })

  test('is none where a single bit of text or signature is another', async () => {
    const note = await aCheckpoint(LEAVES, [log])
    const bytes = Buffer.from(note)
    for (let at = 0; at < bytes.length; at++) {
      const flipped = Buffer.from(bytes)
      flipped.writeUInt8(flipped.readUInt8(at) ^ 1, at)
      expect(
        await outcomeOf(verifyCheckpoint(flipped.toString(), log.vkey)),
        `octet ${at}`,
      ).not.toBe('holds')
    }
  })

  test('F02 of another tenant, signed by the same key of the server, is not this one’s', async () => {
    const pair = generateKeyPairSync('ed25519')
    const acme = await aSigner(ORIGIN, 'ed25519', pair)
    const globex = await aSigner('as.example.com/t/globex/audit', 'ed25519', pair)
    const text = TEXT.replace('acme', 'globex')
    expect((await verifyCheckpoint(await signedBy(text, globex), globex.vkey)).size).toBe(3)
    // The name in front of a signature is not signed: anyone can put the other one there.
    expect(await outcomeOf(verifyCheckpoint(await signedBy(text, acme), acme.vkey))).toBe(
      'origin_mismatch',
    )
  })

  test.each([
    ['no size', `${ORIGIN}\n`],
    ['no root', `${ORIGIN}\n3\n`],
    ['no origin', TEXT.replace(ORIGIN, '')],
    ['a size with a zero before it', TEXT.replace('\n3\n', '\n03\n')],
    ['a size with a sign', TEXT.replace('\n3\n', '\n+3\n')],
    ['a size below none', TEXT.replace('\n3\n', '\n-3\n')],
    ['a size with a space', TEXT.replace('\n3\n', '\n3 \n')],
    ['a size that is no number', TEXT.replace('\n3\n', '\n0x3\n')],
    ['a size beyond exact numbers', TEXT.replace('\n3\n', '\n9007199254740992\n')],
    ['a root too short', `${ORIGIN}\n3\n${Buffer.alloc(31).toString('base64')}\n`],
    ['a root that is not canonical', `${ORIGIN}\n3\n${'A'.repeat(42)}B=\n`],
    ['an empty line in it', `${TEXT}\nmore\n`],
    ['an empty line at its end', `${TEXT}\n`],
  ])('is none with %s, though signed', async (_what, text) => {
    expect(await outcomeOf(verifyCheckpoint(await signedBy(text, log), log.vkey))).toBe(
      'checkpoint_malformed',
    )
  })

  test('is not verified by the key of a witness', async () => {
    const note = await aCheckpoint(LEAVES, [log, witness])
    expect(await outcomeOf(verifyCheckpoint(note, witness.vkey))).toBe('vkey_type_unsupported')
  })
})

describe('a cosignature', () => {
  test('says who saw the checkpoint, and when', async () => {
    const note = await aCheckpoint(LEAVES, [log, witness])
    expect(await verifyCosignature(note, witness.vkey)).toEqual({
      name: 'witness.example/w1',
      time: 1_800_000_000,
    })
  })

  test('is of this checkpoint and time alone', async () => {
    const { name, keyId, signature } = await witness.sign(TEXT)
    const outcomeWith = (text: string, changed: Uint8Array<ArrayBuffer>) =>
      outcomeOf(
        verifyCosignature(
          formatNote({ text, signatures: [{ name, keyId, signature: changed }] }),
          witness.vkey,
        ),
      )
    expect(await outcomeWith(TEXT, signature)).toBe('holds')
    expect(await outcomeWith(TEXT.replace('\n3\n', '\n4\n'), signature)).toBe('signature_invalid')
    expect(await outcomeWith(`${TEXT}more\n`, signature)).toBe('signature_invalid')
    expect(await outcomeWith(TEXT, stampedSignature(1_800_000_001, signature.slice(8)))).toBe(
      'signature_invalid',
    )
    expect(await outcomeWith(TEXT, signature.slice(8))).toBe('signature_invalid')
    const beyond = new Uint8Array(signature)
    beyond.fill(0xff, 0, 8)
    expect(await outcomeWith(TEXT, beyond)).toBe('signature_invalid')
  })

  test('is missing where the witness did not sign, or signed as a log', async () => {
    const note = await aCheckpoint(LEAVES, [log])
    expect(await outcomeOf(verifyCosignature(note, witness.vkey))).toBe('signature_missing')
    expect(await outcomeOf(verifyCosignature(note, log.vkey))).toBe('vkey_type_unsupported')
  })

  test('is never what the same key signed as a log, nor the other way round', async () => {
    const pair = generateKeyPairSync('ed25519')
    const asLog = await aSigner(ORIGIN, 'ed25519', pair)
    const asWitness = await aSigner(ORIGIN, 'cosignature/v1', pair)
    const { signature } = await asLog.sign(TEXT)
    const { name, keyId } = await asWitness.sign(TEXT)
    const note = formatNote({
      text: TEXT,
      signatures: [{ name, keyId, signature: stampedSignature(1_800_000_000, signature) }],
    })
    expect(await outcomeOf(verifyCosignature(note, asWitness.vkey))).toBe('signature_invalid')
  })

  test('is of a checkpoint, and of no other note', async () => {
    const note = await signedBy('three\nlines\nof text\n', witness)
    expect(await outcomeOf(verifyCosignature(note, witness.vkey))).toBe('checkpoint_malformed')
  })
})

test('a key that is no point of the curve verifies nothing', async () => {
  const key = {
    name: 'a',
    id: '00000000',
    type: 'ed25519',
    publicKey: new Uint8Array(32).fill(0xff),
  } as const
  expect(await outcomeOf(checkSignature(key, 'text', new Uint8Array(64)))).toBe('signature_invalid')
})

test('a runtime without Ed25519 says so, and nothing of the signature', async () => {
  const note = await aCheckpoint(LEAVES, [log])
  const fault = new DOMException('no such algorithm', 'NotSupportedError')
  vi.spyOn(crypto.subtle, 'importKey').mockRejectedValueOnce(fault)
  await expect(verifyCheckpoint(note, log.vkey)).rejects.toThrow(TypeError)
})
