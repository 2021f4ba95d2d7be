/** `actchain init`: the folder it writes, and when it writes none. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runCli } from './run-cli.ts'

const STARTER = join(import.meta.dirname, '../../server/cli/starter')
const newFolder = () => mkdtempSync(join(tmpdir(), 'actchain-init-'))

function filesOf(folder: string): Readonly<Record<string, string>> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  return Object.fromEntries(
    files.map((file) => {
      const path = join(file.parentPath, file.name)
      return [path.slice(folder.length + 1), readFileSync(path, 'utf8')]
    }),
  )
}

describe('a new tenant', () => {
  test('is written whole, and what to do next is said', async () => {
    const folder = join(newFolder(), 'tenants', 'globex')
    const { code, stdout, stderr } = await runCli(['init', folder])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(filesOf(folder)).toEqual(filesOf(STARTER))
    expect(stdout).toContain(`Wrote ${folder}:\n  agents.yaml\n`)
    expect(stdout).toContain(`actchain check ${folder}\n`)
    expect(stdout).toContain(`actchain apply ${folder} `)
  })

  test('as JSON names the tenant, the folder and its files', async () => {
    const folder = join(newFolder(), 'globex')
    const { code, stdout } = await runCli(['init', `${folder}/`, '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({
      tenant: 'globex',
      folder: `${folder}/`,
      files: Object.keys(filesOf(STARTER)).toSorted(),
    })
  })

  test('takes an empty folder that is there', async () => {
    const folder = join(newFolder(), 'globex')
    mkdirSync(folder)
    expect((await runCli(['init', folder])).code).toBe(0)
    expect(filesOf(folder)).toEqual(filesOf(STARTER))
  })

  test('is commented in every file', () => {
    const files = Object.values(filesOf(STARTER))
    expect(files.length).toBeGreaterThan(4)
    for (const text of files) expect(text).toMatch(/^(?:#|\/\/) \S/)
  })
})

describe('nothing is written', () => {
  test('where there is something already', async () => {
    const folder = join(newFolder(), 'globex')
    mkdirSync(folder)
    writeFileSync(join(folder, 'agents.yaml'), 'mine')
    const { code, stdout, stderr } = await runCli(['init', folder])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toBe(`${folder} is not empty; name a folder that is new or empty.\n`)
    expect(filesOf(folder)).toEqual({ 'agents.yaml': 'mine' })
  })

  test.each(['Globex', '9lives', 'a:b', 'a{b}', 'a*', 'constructor', 'glöbex', 'x'.repeat(64)])(
    'under a name that is no tenant id: %s',
    async (name) => {
      const root = newFolder()
      const { code, stdout, stderr } = await runCli(['init', join(root, name)])
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).toContain('cannot be the id of a tenant; an id is a lower-case letter')
      expect(readdirSync(root)).toEqual([])
    },
  )

  test('where a file has the name, or no folder can be made', async () => {
    const root = newFolder()
    writeFileSync(join(root, 'globex'), '')
    const onFile = await runCli(['init', join(root, 'globex')])
    const below = await runCli(['init', join(root, 'globex', 'acme')])
    expect([onFile.code, below.code]).toEqual([1, 1])
    expect(onFile.stderr).toMatch(/is no folder that can be read/)
    expect(below.stderr).toMatch(/is no folder that can be read|cannot be written/)
  })
})
