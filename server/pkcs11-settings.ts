/** Where signing keys are that never leave their device. */
import { isAbsolute } from 'node:path'
import { Secret } from './core/secret.ts'
import type { Report, Settings } from './settings.ts'

export interface Pkcs11Settings {
  /** Absolute path of the device's library. */
  readonly module: string
  /** Label of the token. */
  readonly token: string
  readonly pin: Secret
}

const PKCS11 = ['ACTCHAIN_PKCS11_MODULE', 'ACTCHAIN_PKCS11_TOKEN', 'ACTCHAIN_PKCS11_PIN'] as const

/** All three, or undefined where none is set. */
export function readPkcs11(settings: Settings, report: Report): Pkcs11Settings | undefined {
  const [module, token, pin] = PKCS11.map((name) => settings.get(name))
  if (module === undefined && token === undefined && pin === undefined) return undefined
  const missing = PKCS11.filter((name) => !settings.has(name))
  for (const name of missing) report(name, `is missing; set ${PKCS11.join(', ')}, or none.`)
  // A name alone would be looked for along the system's library path.
  if (module !== undefined && !isAbsolute(module)) {
    const stated = JSON.stringify(module.slice(0, 100))
    report('ACTCHAIN_PKCS11_MODULE', `is ${stated}; set it to an absolute path.`)
  }
  if (module === undefined || token === undefined || pin === undefined) return undefined
  return { module, token, pin: new Secret(pin) }
}
