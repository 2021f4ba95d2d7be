/** A token of SoftHSM in a folder of its own, for tests of keys in a PKCS#11 device; or why there is none on this machine. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Pkcs11Place } from '../../keys/pkcs11-device.ts'
import { Secret } from '../../server/core/secret.ts'

const LIBRARIES = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/local/lib/softhsm/libsofthsm2.so',
  '/opt/homebrew/lib/softhsm/libsofthsm2.so',
]
const TOKEN = 'actchain-tests'
export const PIN = 'a-pin-of-this-run'

/** Why tests with SoftHSM are left out here; undefined: they run. */
export const NO_SOFTHSM = whyNot()

export interface SoftHsm {
  readonly place: Pkcs11Place
  /** Where its tokens are: in `SOFTHSM2_CONF` of every process that is to see them. */
  readonly configuration: string
  remove(): void
}

/** Sets `SOFTHSM2_CONF` of this process, from which the library reads once. */
export function makeToken(): SoftHsm {
  const folder = mkdtempSync(join(tmpdir(), 'actchain-softhsm-'))
  const configuration = join(folder, 'softhsm2.conf')
  mkdirSync(join(folder, 'tokens'))
  writeFileSync(
    configuration,
    `directories.tokendir = ${join(folder, 'tokens')}\nobjectstore.backend = file\nlog.level = ERROR\n`,
  )
  process.env['SOFTHSM2_CONF'] = configuration
  const flags = ['--init-token', '--free', '--label', TOKEN, '--so-pin', 'of-the-officer', '--pin']
  const made = spawnSync('softhsm2-util', [...flags, PIN], { encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`softhsm2-util: ${made.stderr}`)
  return {
    place: { module: libraryPath() ?? '', token: TOKEN, pin: new Secret(PIN) },
    configuration,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function libraryPath(): string | undefined {
  return LIBRARIES.find((path) => existsSync(path))
}

function whyNot(): string | undefined {
  if (libraryPath() === undefined || spawnSync('softhsm2-util', ['--version']).status !== 0) {
    return 'SoftHSM is not installed: apt-get install softhsm2'
  }
  try {
    createRequire(import.meta.url)('pkcs11js')
    return undefined
  } catch {
    return 'pkcs11js is not installed: npm install --no-save pkcs11js@2.1.7'
  }
}
