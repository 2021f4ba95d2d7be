import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createTrustFileReader } from '../../server/fetch/trust-folder.ts'

let folder: string
let parsed: string[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'actchain-trust-'))
  parsed = []
  mkdirSync(join(folder, 'acme'))
  mkdirSync(join(folder, 'other'))
  writeFileSync(join(folder, 'acme', 'prod.json'), 'good')
  writeFileSync(join(folder, 'other', 'prod.json'), 'secret of another')
  writeFileSync(join(folder, 'top.json'), 'secret of all')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function readerOf(file: string, tenant = 'acme') {
  return createTrustFileReader({
    folder,
    tenant,
    file,
    parse: (bytes) => {
      const text = Buffer.from(bytes).toString()
      parsed.push(text)
      return text.startsWith('good') ? { text } : undefined
    },
  })
}

test('a file is parsed again only where it changed', async () => {
  const read = readerOf('prod.json')
  const first = await read()
  expect(first).toEqual({ text: 'good' })
  expect(await read()).toBe(first)
  expect(parsed).toEqual(['good'])

  writeFileSync(join(folder, 'acme', 'prod.json'), 'good2')
  expect(await read()).toEqual({ text: 'good2' })

  // Swapped for one of the same size, as a careful writer does it.
  writeFileSync(join(folder, 'acme', 'new'), 'good3')
  renameSync(join(folder, 'acme', 'new'), join(folder, 'acme', 'prod.json'))
  expect(await read()).toEqual({ text: 'good3' })
})

test('K02: a broken, missing or huge file is a fault that says nothing of this machine', async () => {
  const read = readerOf('prod.json')
  await read()
  writeFileSync(join(folder, 'acme', 'prod.json'), 'broken')
  await expect(read()).rejects.toMatchObject({ code: 'document_refused', message: 'fetch failed' })
  writeFileSync(join(folder, 'acme', 'prod.json'), Buffer.alloc(4 * 1024 * 1024 + 1))
  await expect(read()).rejects.toMatchObject({ code: 'too_large' })
  unlinkSync(join(folder, 'acme', 'prod.json'))
  const fault: unknown = await read().catch((error: unknown) => error)
  expect(fault).toMatchObject({ code: 'unreachable', message: 'fetch failed' })
  expect(String((fault as Error).stack)).not.toContain(folder)
})

test.each([
  '../other/prod.json',
  '../top.json',
  '..',
  '.',
  '',
  '.hidden',
  '..data',
  'a/b',
  'a\\b',
  '/etc/passwd',
  'prod.json\0',
  'prod json',
  `a${'b'.repeat(128)}`,
  'ｐrod.json',
])('F04: %j is no name of a file here', async (file) => {
  await expect(readerOf(file)()).rejects.toMatchObject({ code: 'url_refused' })
  expect(parsed).toEqual([])
})

test.each(['..', '.', '', 'Acme', 'a/b'])('F04: %j is no tenant', async (tenant) => {
  await expect(readerOf('prod.json', tenant)()).rejects.toMatchObject({ code: 'url_refused' })
})

test.each([
  ["another tenant's file", 'other/prod.json'],
  ['a file above', 'top.json'],
  ['a file of the machine', '/etc/hostname'],
])('F05: a link to %s is not followed', async (_, target) => {
  const path = target.startsWith('/') ? target : join(folder, target)
  symlinkSync(path, join(folder, 'acme', 'link.json'))
  await expect(readerOf('link.json')()).rejects.toMatchObject({ code: 'address_refused' })
  expect(parsed).toEqual([])
})

test("F05: a tenant's folder that is a link to another's is not followed", async () => {
  symlinkSync(join(folder, 'other'), join(folder, 'mirror'))
  const read = readerOf('prod.json', 'mirror')
  await expect(read()).rejects.toMatchObject({ code: 'address_refused' })
})

test('a mounted volume swaps all its files by one link within the folder', async () => {
  for (const version of ['1', '2']) {
    mkdirSync(join(folder, 'acme', `..v${version}`))
    writeFileSync(join(folder, 'acme', `..v${version}`, 'ca.pem'), `good${version}`)
  }
  symlinkSync('..v1', join(folder, 'acme', '..data'))
  symlinkSync('..data/ca.pem', join(folder, 'acme', 'ca.pem'))
  const read = readerOf('ca.pem')
  expect(await read()).toEqual({ text: 'good1' })

  symlinkSync('..v2', join(folder, 'acme', '..next'))
  renameSync(join(folder, 'acme', '..next'), join(folder, 'acme', '..data'))
  expect(await read()).toEqual({ text: 'good2' })
})

test('a folder and a pipe are no files', async () => {
  mkdirSync(join(folder, 'acme', 'folder'))
  await expect(readerOf('folder')()).rejects.toMatchObject({ code: 'address_refused' })
  execFileSync('mkfifo', [join(folder, 'acme', 'pipe')])
  await expect(readerOf('pipe')()).rejects.toMatchObject({ code: 'address_refused' })
})
