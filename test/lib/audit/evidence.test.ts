import { type EvidenceBundle, parseNote, verifyEvidence } from '@actchain/verifier/audit'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { inclusionProof, rootOf } from '../../support/naive-tree.ts'
import {
  aBundle,
  aCheckpoint,
  anEntry,
  aSigner,
  base64,
  DOCUMENTS,
  type Draft,
  ISSUER,
  LINES,
  ORIGIN,
  outcomeOf,
  PURPOSE,
  type Signer,
  TXN,
  utf8,
  VERSION,
} from '../../support/proven-log.ts'
import written from './evidence.json' with { type: 'json' }

let log: Signer
let witness: Signer
beforeAll(async () => {
  log = await aSigner(ORIGIN)
  witness = await aSigner('witness.example/w1', 'cosignature/v1')
})

type Change = (bundle: Draft) => void
const changed = async (change: Change): Promise<Record<string, unknown>> => {
  const bundle = JSON.parse(JSON.stringify(await aBundle([log])))
  change(bundle)
  return bundle
}
/** Why the bundle, so changed, is no evidence, for an auditor who knows the log's key. */
const outcomeWith = async (change: Change): Promise<string> =>
  outcomeOf(verifyEvidence(await changed(change), { key: log.vkey }))
/** A bundle of all these lines; the last is what it is about. */
const outcomeOfLine = async (line: string | Uint8Array): Promise<string> => {
  const leaf = typeof line === 'string' ? utf8(line) : line
  const leaves = [...LINES.slice(0, 2).map(utf8), leaf]
  return outcomeOf(verifyEvidence(await aBundle([log], [1, 2], leaves), { key: log.vkey }))
}

describe('evidence', () => {
  test('that was written down once holds for ever', async () => {
    const { key, witness: vkey, bundle } = written
    const report = await verifyEvidence(bundle, { key, witnesses: [vkey] })
    expect(report.entries.map(({ index }) => index)).toEqual([1, 4, 5])
  })

  test('says what is proven of a task, and by whose key', async () => {
    const bundle = await aBundle([log, witness])
    const trust = { key: log.vkey, witnesses: [witness.vkey] }
    expect(await verifyEvidence(bundle, trust)).toEqual({
      key: 'given',
      checkpoint: {
        origin: ORIGIN,
        size: LINES.length,
        root: new Uint8Array(rootOf(LINES.map(utf8))),
      },
      cosignatures: [{ name: 'witness.example/w1', time: 1_800_000_000 }],
      tenant: 'acme',
      issuer: ISSUER,
      txn: TXN,
      entries: [1, 4, 5].map((index) => ({ index, entry: JSON.parse(LINES[index] ?? '') })),
      versions: [{ version: VERSION, documents: DOCUMENTS }],
      missingVersions: [],
      texts: [{ index: 1, name: 'purpose', text: PURPOSE }],
    })
  })

  test('without a key of the auditor’s is taken by its own, and says so', async () => {
    expect(await verifyEvidence(await aBundle([log]))).toMatchObject({ key: 'of_the_bundle' })
    // Made up as a whole: it holds together. That is why the key has to come from elsewhere.
    const forger = await aSigner(ORIGIN)
    const forged = await aBundle([forger])
    expect(await verifyEvidence(forged)).toMatchObject({ key: 'of_the_bundle' })
    expect(await outcomeOf(verifyEvidence(forged, { key: log.vkey }))).toBe('signature_missing')
  })

  test('is the same whatever it says beside what is proven', async () => {
    const bundle = await changed((each) => {
      each['jwks'] = { keys: [] }
      each['verdict'] = 'guilty'
      delete each['texts']
    })
    const report = await verifyEvidence(bundle, { key: log.vkey })
    expect(report.texts).toEqual([])
    expect(JSON.stringify(report)).not.toContain('guilty')
  })

  test('names the versions it does not have', async () => {
    const bundle = await changed((each) => (each['versions'] = []))
    expect((await verifyEvidence(bundle, { key: log.vkey })).missingVersions).toEqual([VERSION])
  })

  test('counts a witness who did not sign as none', async () => {
    const bundle = await aBundle([log])
    const report = await verifyEvidence(bundle, { key: log.vkey, witnesses: [witness.vkey] })
    expect(report.cosignatures).toEqual([])
  })

  test('fails where the signature of a witness is wrong', async () => {
    const bundle = await aBundle([log, witness])
    const stranger = await aSigner('witness.example/w1', 'cosignature/v1')
    const strange = await aCheckpoint(LINES.map(utf8), [log, stranger])
    const [, honest] = parseNote(bundle.checkpoint).signatures
    const [, other] = parseNote(strange).signatures
    const [mine, theirs] = [honest, other].map((each) => base64(each?.signature ?? utf8('')))
    const id = Buffer.from(honest?.keyId ?? '', 'hex')
    const line = (signature = '') =>
      Buffer.concat([id, Buffer.from(signature, 'base64')]).toString('base64')
    bundle.checkpoint = bundle.checkpoint.replace(line(mine), line(theirs))
    const trust = { key: log.vkey, witnesses: [witness.vkey] }
    expect(await outcomeOf(verifyEvidence(bundle, trust))).toBe('signature_invalid')
  })

  test('takes the entry that another process wrote behind a torn one', async () => {
    const whole = JSON.stringify(anEntry())
    expect(await outcomeOfLine(`{"time":1,"subject":"A${whole}`)).toBe('holds')
    expect(await outcomeOfLine(`garbage${whole}`)).toBe('holds')
  })

  test('takes it too where the torn one ends within a character', async () => {
    const whole = utf8(JSON.stringify(anEntry()))
    const line = Buffer.concat([utf8('{"time":1,"subject":"\u00e9').slice(0, -1), whole])
    const leaves = [utf8('x'), line]
    const bundle = await aBundle([log], [1], leaves)
    const proof = inclusionProof(1, leaves).map(base64)
    bundle.entries = [{ index: 1, line_base64: base64(line), proof }]
    delete bundle.texts
    expect((await verifyEvidence(bundle, { key: log.vkey })).entries).toEqual([
      { index: 1, entry: JSON.parse(JSON.stringify(anEntry())) },
    ])
    bundle.entries = [{ index: 1, line: new TextDecoder().decode(line), proof }]
    expect(await outcomeOf(verifyEvidence(bundle, { key: log.vkey }))).toBe(
      'leaf_not_included of 1',
    )
  })
})

describe('N02 evidence that was touched fails, and says where', () => {
  test.each<[string, Change, string]>([
    [
      'a letter of an entry',
      (b) => (b['entries'][1].line = b['entries'][1].line.replace('Ann', 'Eve')),
      'leaf_not_included of 4',
    ],
    ['a space after an entry', (b) => (b['entries'][1].line += ' '), 'leaf_not_included of 4'],
    ['an entry at another place', (b) => (b['entries'][0].index = 2), 'leaf_not_included of 2'],
    ['an entry beyond the log', (b) => (b['entries'][2].index = 70), 'index_beyond_size of 70'],
    [
      'an entry twice',
      (b) => b['entries'].splice(1, 0, b['entries'][0]),
      'entries_not_rising of 1',
    ],
    ['entries in another order', (b) => b['entries'].reverse(), 'entries_not_rising of 4'],
    ['a proof without its end', (b) => b['entries'][1].proof.pop(), 'proof_length_wrong of 4'],
    [
      'a proof with another hash',
      (b) => (b['entries'][1].proof[0] = base64(new Uint8Array(32))),
      'leaf_not_included of 4',
    ],
    [
      'a proof with a short hash',
      (b) => (b['entries'][1].proof[0] = 'AAAA'),
      'proof_malformed of 4',
    ],
    ['a proof that is no base64', (b) => (b['entries'][1].proof[0] = '*'), 'proof_malformed of 4'],
    [
      'a line with half a character',
      (b) => (b['entries'][1].line = '\ud83d'),
      'line_malformed of 4',
    ],
    [
      'a leaf that is no base64',
      (b) => (b['entries'][1] = { ...b['entries'][1], line: undefined, line_base64: '*' }),
      'line_malformed of 4',
    ],
    [
      'an entry with two leaves',
      (b) => (b['entries'][1].line_base64 = 'AAAA'),
      'bundle_malformed of 4',
    ],
    [
      'another root',
      (b) =>
        (b['checkpoint'] = b['checkpoint'].replace(
          /\n[^\n]{44}\n/,
          `\n${base64(new Uint8Array(32))}\n`,
        )),
      'signature_invalid',
    ],
    [
      'another size',
      (b) => (b['checkpoint'] = b['checkpoint'].replace('\n7\n', '\n8\n')),
      'signature_invalid',
    ],
    [
      'no signature',
      (b) => (b['checkpoint'] = b['checkpoint'].split('\u2014')[0]),
      'note_malformed',
    ],
    ['another issuer', (b) => (b['issuer'] = 'https://as.example.com/t/globex'), 'origin_mismatch'],
    ['another origin', (b) => (b['origin'] = 'as.example.com/t/globex/audit'), 'origin_mismatch'],
    ['another tenant', (b) => (b['tenant'] = 'globex'), 'entry_of_another_tenant of 1'],
    ['another task', (b) => (b['txn'] = 'task-2'), 'entry_of_another_task of 1'],
    ['another version', (b) => (b['versions'][0].version = 'f'.repeat(64)), 'version_mismatch'],
    [
      'a rule of a version',
      (b) => (b['versions'][0].documents['policies/a.cedar'] = 'forbid;'),
      'version_mismatch',
    ],
    [
      'a file of a version',
      (b) => (b['versions'][0].documents['more.yaml'] = null),
      'version_mismatch',
    ],
    ['a kept text', (b) => (b['texts'][0].text += '.'), 'text_mismatch of 1'],
    ['a salt', (b) => (b['texts'][0].salt = 'AAAA'), 'text_mismatch of 1'],
    ['a salt that is none', (b) => (b['texts'][0].salt = '*'), 'text_mismatch of 1'],
    ['a text by another name', (b) => (b['texts'][0].name = 'because'), 'text_mismatch of 1'],
    ['a text by an inherited name', (b) => (b['texts'][0].name = 'toString'), 'text_mismatch of 1'],
    ['a text of an entry without one', (b) => (b['texts'][0].index = 4), 'text_mismatch of 4'],
    ['a text of no entry', (b) => (b['texts'][0].index = 3), 'text_mismatch of 3'],
  ])('%s', async (_what, change, outcome) => {
    expect(await outcomeWith(change)).toBe(outcome)
  })

  test('the first of several, in a bundle of many', async () => {
    const leaves = Array.from({ length: 150 }, (_, at) => utf8(JSON.stringify(anEntry({ at }))))
    const bundle: Draft = await aBundle([log], [...leaves.keys()], leaves)
    delete bundle['texts']
    expect((await verifyEvidence(bundle, { key: log.vkey })).entries).toHaveLength(150)
    for (const at of [149, 99, 98]) bundle['entries'][at].line += ' '
    // The later one fails sooner: it has no hash to wait for.
    bundle['entries'][99].proof = []
    expect(await outcomeOf(verifyEvidence(bundle, { key: log.vkey }))).toBe(
      'leaf_not_included of 98',
    )
  })

  test('an entry of another tenant, or of another task, though it is in the log', async () => {
    const entry = (members: object) => JSON.stringify(anEntry({ ...members }))
    expect(await outcomeOfLine(entry({ tenant: 'globex' }))).toBe('entry_of_another_tenant of 2')
    expect(await outcomeOfLine(entry({ txn: 'task-2' }))).toBe('entry_of_another_task of 2')
    expect(await outcomeOfLine(entry({ txn: undefined }))).toBe('entry_of_another_task of 2')
    // Not by a text within an entry that looks like one.
    const inner = JSON.stringify(anEntry())
    expect(await outcomeOfLine(entry({ txn: 'task-2', subject: inner }))).toBe(
      'entry_of_another_task of 2',
    )
  })

  test.each([
    ['nothing', ''],
    ['a torn entry', JSON.stringify(anEntry()).slice(0, -1)],
    ['no object', '"text"'],
    ['another order of members', `{"txn":"${TXN}","tenant":"acme","time":1}`],
    ['a member twice', `{"time":1,"tenant":"acme","txn":"task-2","txn":"${TXN}"}`],
    [
      'deep nesting',
      `{"time":1,"tenant":"acme","txn":"${TXN}","x":${'['.repeat(50)}${']'.repeat(50)}}`,
    ],
    ['two lines', `${JSON.stringify(anEntry())}\n${JSON.stringify(anEntry())}`],
    ['a byte order mark', `\ufeff${JSON.stringify(anEntry())}x`],
  ])('a leaf that is %s', async (_what, line) => {
    expect(await outcomeOfLine(line)).toBe('line_malformed of 2')
  })

  test('one octet of any line', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(2),
        fc.nat(),
        fc.string({ minLength: 1, maxLength: 1 }),
        async (which, place, letter) => {
          const bundle = await aBundle([log])
          const [index = 0, line = ''] = [bundle.entries[which]?.index, bundle.entries[which]?.line]
          const at = place % line.length
          const other = line.slice(0, at) + letter + line.slice(at + 1)
          fc.pre(other !== line)
          bundle.entries = bundle.entries.with(which, { ...bundle.entries[which]!, line: other })
          expect(await outcomeOf(verifyEvidence(bundle, { key: log.vkey }))).toMatch(
            new RegExp(`^(?:leaf_not_included|line_malformed) of ${index}$`),
          )
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('a bundle that is none', () => {
  test.each<[string, unknown, string]>([
    ['nothing', undefined, 'bundle_malformed'],
    ['null', null, 'bundle_malformed'],
    ['a text', '{}', 'bundle_malformed'],
    ['a list', [], 'bundle_malformed'],
    ['an empty object', {}, 'bundle_format_unknown'],
    ['a later format', { format: 'actchain-evidence/2' }, 'bundle_format_unknown'],
  ])('%s', async (_what, bundle, outcome) => {
    expect(await outcomeOf(verifyEvidence(bundle))).toBe(outcome)
  })

  const members = [
    'tenant',
    'issuer',
    'txn',
    'origin',
    'key',
    'checkpoint',
    'entries',
    'versions',
  ] as const
  const wrong = [undefined, null, 7, {}, [7]]
  test.each(members satisfies readonly (keyof EvidenceBundle)[])(
    'without %s, or with another thing in its place',
    async (member) => {
      for (const value of wrong)
        expect(await outcomeWith((b) => (b[member] = value))).toBe('bundle_malformed')
    },
  )

  test.each<[string, Change, string]>([
    ['no entries', (b) => (b['entries'] = []), 'bundle_malformed'],
    ['an entry without an index', (b) => delete b['entries'][1].index, 'bundle_malformed'],
    ['an index below none', (b) => (b['entries'][1].index = -1), 'bundle_malformed'],
    ['an index that is a text', (b) => (b['entries'][1].index = '4'), 'bundle_malformed'],
    ['an entry without a line', (b) => delete b['entries'][1].line, 'bundle_malformed of 4'],
    ['an entry without a proof', (b) => delete b['entries'][1].proof, 'bundle_malformed of 4'],
    ['a proof of numbers', (b) => (b['entries'][1].proof = [7]), 'bundle_malformed of 4'],
    ['a version without documents', (b) => delete b['versions'][0].documents, 'bundle_malformed'],
    ['a version of a list', (b) => (b['versions'][0].documents = []), 'bundle_malformed'],
    ['a text without a salt', (b) => delete b['texts'][0].salt, 'bundle_malformed of 1'],
    ['a text of no entry', (b) => delete b['texts'][0].index, 'bundle_malformed'],
    ['texts that are no list', (b) => (b['texts'] = {}), 'bundle_malformed'],
    ['texts that are null', (b) => (b['texts'] = null), 'bundle_malformed'],
  ])('with %s', async (_what, change, outcome) => {
    expect(await outcomeWith(change)).toBe(outcome)
  })

  test.each<[string, Change, string]>([
    ['entries', (b) => (b['entries'] = Array(100_001).fill(b['entries'][0])), 'bundle_too_large'],
    [
      'hashes in a proof',
      (b) => (b['entries'][1].proof = Array(54).fill('AAAA')),
      'bundle_too_large of 4',
    ],
    [
      'letters in a line',
      (b) => (b['entries'][1].line = 'x'.repeat(1_048_577)),
      'bundle_too_large of 4',
    ],
    [
      'letters in a checkpoint',
      (b) => (b['checkpoint'] = 'x'.repeat(1_048_577)),
      'bundle_too_large',
    ],
    ['versions', (b) => (b['versions'] = Array(101).fill(b['versions'][0])), 'bundle_too_large'],
    ['texts', (b) => (b['texts'] = Array(200_001).fill(b['texts'][0])), 'bundle_too_large'],
  ])('with too many %s, before anything is hashed', async (_what, change, outcome) => {
    expect(await outcomeWith(change)).toBe(outcome)
  })

  test('with documents nested without end', async () => {
    const deep = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`) as unknown
    expect(await outcomeWith((b) => (b['versions'][0].documents['a.yaml'] = deep))).toBe(
      'version_mismatch',
    )
  })

  test('anything at all', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.anything(),
        fc.constantFrom(...members, 'texts'),
        async (value, member) => {
          expect(await outcomeOf(verifyEvidence(value))).toMatch(/^bundle_/)
          const bundle: Draft = await aBundle([log])
          bundle[member] = value
          expect(await outcomeOf(verifyEvidence(bundle, { key: log.vkey }))).toMatch(
            /^[a-z_]+(?: of \d+)?$/,
          )
        },
      ),
    )
  })
})
