/** A secret at rest: only the whole file, under its own name, with its own secret, opens. */
import crypto from 'node:crypto'
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createSealed, createWhole, readSealed } from '../../keys/sealed-file.ts'

const SECRET = 'a secret of the operator, long enough'
let folder = ''
let path = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'actchain-sealed-'))
  path = join(folder, 'keys', 'acme.sealed')
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

const modeOf = (at: string): number => statSync(at).mode & 0o777

describe('a sealed file', () => {
  test('opens with the secret that sealed it', () => {
    for (const text of ['a', 'ünï\0code', 'x'.repeat(10_000), '']) {
      const name = `${path}-${text.length}`
      expect(createSealed(name, SECRET, text)).toBe(true)
      expect(readSealed(name, SECRET)).toBe(text)
    }
  })

  test('is not there before it was made', () => {
    expect(readSealed(path, SECRET)).toBeUndefined()
  })

  test('is its owner’s alone, and so is its folder', () => {
    createSealed(path, SECRET, 'text')
    expect(modeOf(path)).toBe(0o600)
    expect(modeOf(join(folder, 'keys'))).toBe(0o700)
  })

  test('shows nothing of what it holds, and never the same bytes twice', () => {
    createSealed(path, SECRET, 'text-text-text')
    createSealed(`${path}2`, SECRET, 'text-text-text')
    const [one, other] = [readFileSync(path), readFileSync(`${path}2`)]
    expect(one.includes('text')).toBe(false)
    expect(one.includes(SECRET)).toBe(false)
    // Behind the version and the salt, which the files of one process share: nonce, tag and body.
    expect(one.subarray(17, 29).equals(other.subarray(17, 29))).toBe(false)
    expect(one.subarray(45).equals(other.subarray(45))).toBe(false)
  })

  test('of one process cost one derivation, and open in another that has none of it', async () => {
    const derive = vi.spyOn(crypto, 'scryptSync')
    syncBuiltinESMExports()
    const secret = `${SECRET} of this test`
    for (const each of [1, 2, 3]) createSealed(`${path}${each}`, secret, `text ${each}`)
    for (const each of [1, 2, 3]) expect(readSealed(`${path}${each}`, secret)).toBe(`text ${each}`)
    expect(derive).toHaveBeenCalledTimes(1)
    vi.restoreAllMocks()
    syncBuiltinESMExports()
    vi.resetModules()
    const later = await import('../../keys/sealed-file.ts')
    expect(later.readSealed(`${path}2`, secret)).toBe('text 2')
    expect(await later.openSealed(`${path}3`, secret)).toBe('text 3')
  })

  test('does not open with another secret', () => {
    createSealed(path, SECRET, 'text')
    for (const secret of ['', `${SECRET} `, SECRET.toUpperCase(), SECRET.slice(0, -1)]) {
      expect(() => readSealed(path, secret)).toThrow('ACTCHAIN_KEY_SECRET')
    }
  })

  test('does not open with any one octet altered', () => {
    createSealed(path, SECRET, 'four')
    const whole = readFileSync(path)
    expect(whole.length).toBe(1 + 16 + 12 + 16 + 4)
    for (let at = 0; at < whole.length; at += 1) {
      const altered = Buffer.from(whole)
      altered[at]! ^= 1 << (at % 8)
      writeFileSync(path, altered)
      expect(() => readSealed(path, SECRET), `octet ${at}`).toThrow('was altered')
    }
  })

  test('does not open cut short or with more behind it', () => {
    createSealed(path, SECRET, 'four')
    const whole = readFileSync(path)
    for (const part of [
      Buffer.alloc(0),
      whole.subarray(0, 1),
      whole.subarray(0, 44),
      whole.subarray(0, 45),
      whole.subarray(0, -1),
      Buffer.concat([whole, Buffer.alloc(1)]),
    ]) {
      writeFileSync(path, part)
      expect(() => readSealed(path, SECRET), `${part.length} octets`).toThrow('was altered')
    }
  })

  test('does not open under another name: two of them cannot be swapped', () => {
    const other = join(folder, 'keys', 'globex.sealed')
    createSealed(path, SECRET, 'of acme')
    copyFileSync(path, other)
    expect(() => readSealed(other, SECRET)).toThrow('was altered')
    expect(readSealed(path, SECRET)).toBe('of acme')
  })

  test('tells nothing of secret or content when it does not open', () => {
    createSealed(path, SECRET, 'content-content')
    const fault = faultOf(() => readSealed(path, 'the-other-secret'))
    expect(fault.message).toContain(path)
    for (const text of ['content', 'the-other-secret', SECRET]) {
      expect(`${fault.message} ${fault.stack} ${String(fault.cause)}`).not.toContain(text)
    }
  })

  test('a path that cannot be read is a fault, not an absent file', () => {
    // A folder stands where the file should be.
    expect(() => readSealed(folder, SECRET)).toThrow()
  })
})

describe('creating a file', () => {
  test('is done once: the second is told so and changes nothing', () => {
    expect(createSealed(path, SECRET, 'first')).toBe(true)
    expect(createSealed(path, SECRET, 'second')).toBe(false)
    expect(createSealed(path, 'another secret', 'third')).toBe(false)
    expect(readSealed(path, SECRET)).toBe('first')
  })

  test('leaves no draft behind, whether it was first or not', () => {
    for (const content of ['first', 'second', 'third']) createWhole(path, content)
    expect(readdirSync(join(folder, 'keys'))).toEqual(['acme.sealed'])
    expect(readFileSync(path, 'utf8')).toBe('first')
    expect(modeOf(path)).toBe(0o600)
  })

  test('is a fault where the folder cannot be made', () => {
    writeFileSync(join(folder, 'keys'), 'in the way')
    expect(() => createWhole(path, 'x')).toThrow()
  })
})

function faultOf(work: () => unknown): Error {
  try {
    work()
  } catch (fault) {
    if (fault instanceof Error) return fault
  }
  throw new Error('nothing was thrown')
}
