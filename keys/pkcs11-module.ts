/**
 * The library of a PKCS#11 device, through the npm package pkcs11js. The package is no dependency: whoever keeps keys in a device
 * installs it beside us, and nobody else builds native code. Types are of the few functions used, numbers those of PKCS#11 v3.0.
 */

/** The device or what speaks to it has to be changed by the operator; the message is a sentence for them. */
export class DeviceRefused extends Error {
  override readonly name = 'DeviceRefused'
}

export interface Attribute {
  readonly type: number
  readonly value?: boolean | number | string | Buffer
}

type Handle = Buffer
interface Mechanism {
  readonly mechanism: number
}

export interface Pkcs11Module {
  load(path: string): void
  C_Initialize(options: { readonly flags: number }): void
  C_Finalize(): void
  C_GetSlotList(tokenPresent: boolean): readonly Handle[]
  C_GetTokenInfo(slot: Handle): { readonly label: string }
  C_GetMechanismList(slot: Handle): readonly number[]
  C_OpenSession(slot: Handle, flags: number): Handle
  C_CloseSession(session: Handle): void
  C_GetSessionInfo(session: Handle): { readonly state: number }
  C_Login(session: Handle, user: number, pin: string): void
  C_FindObjectsInit(session: Handle, template: readonly Attribute[]): void
  C_FindObjects(session: Handle, most: number): readonly Handle[]
  C_FindObjectsFinal(session: Handle): void
  C_GetAttributeValue(
    session: Handle,
    object: Handle,
    template: readonly Attribute[],
  ): readonly { readonly value: Buffer }[]
  C_DestroyObject(session: Handle, object: Handle): void
  C_GenerateKeyPairAsync(
    session: Handle,
    mechanism: Mechanism,
    publicHalf: readonly Attribute[],
    privateHalf: readonly Attribute[],
  ): Promise<unknown>
  C_SignInit(session: Handle, mechanism: Mechanism, key: Handle): void
  C_SignAsync(session: Handle, data: Buffer, signature: Buffer): Promise<Buffer>
}

export const CKA = {
  CLASS: 0x0,
  TOKEN: 0x1,
  PRIVATE: 0x2,
  LABEL: 0x3,
  KEY_TYPE: 0x100,
  ID: 0x102,
  SENSITIVE: 0x103,
  SIGN: 0x108,
  VERIFY: 0x10a,
  MODULUS: 0x120,
  MODULUS_BITS: 0x121,
  PUBLIC_EXPONENT: 0x122,
  EXTRACTABLE: 0x162,
  EC_PARAMS: 0x180,
  EC_POINT: 0x181,
} as const
export const CKO = { PUBLIC_KEY: 2, PRIVATE_KEY: 3 } as const
export const CKK = { RSA: 0x0, EC: 0x3, EC_EDWARDS: 0x40 } as const
export const CKM = {
  RSA_PKCS_KEY_PAIR_GEN: 0x0,
  SHA256_RSA_PKCS: 0x40,
  EC_KEY_PAIR_GEN: 0x1040,
  ECDSA: 0x1041,
  EC_EDWARDS_KEY_PAIR_GEN: 0x1055,
  EDDSA: 0x1057,
} as const
export const CKU_USER = 1
/** State of a session that writes, with the user logged in. */
export const CKS_RW_USER_FUNCTIONS = 3
/** `CKF_SERIAL_SESSION | CKF_RW_SESSION` */
export const SESSION_FLAGS = 0x4 | 0x2
/** Signatures are made on other threads than this one, so the library has to lock. */
const CKF_OS_LOCKING_OK = 0x2

/** What a function of the device refused with; undefined where something else was thrown. */
export function resultOf(fault: unknown): string | undefined {
  if (!(fault instanceof Error)) return undefined
  return /\bCKR_[A-Z0-9_]+/.exec(fault.message)?.[0]
}

interface Loaded {
  readonly module: Promise<Pkcs11Module>
  users: number
}

/** A library has one state in a process, so all who use it share it: who finalized it would do so to everybody. */
const loaded = new Map<string, Loaded>()

/** The library at an absolute path, for one more user. Throws DeviceRefused where it or the package is missing. */
export async function useModule(path: string): Promise<Pkcs11Module> {
  const known = loaded.get(path) ?? { module: loadModule(path), users: 0 }
  loaded.set(path, known)
  known.users += 1
  try {
    return await known.module
  } catch (fault) {
    await leaveModule(path)
    throw fault
  }
}

/** One user less; after the last one the library is finalized, which ends its sessions. */
export async function leaveModule(path: string): Promise<void> {
  const known = loaded.get(path)
  if (known === undefined) return
  known.users -= 1
  if (known.users > 0) return
  loaded.delete(path)
  const module = await known.module.catch(() => undefined)
  if (module !== undefined) quietly(() => module.C_Finalize())
}

async function loadModule(path: string): Promise<Pkcs11Module> {
  const module = await newModule()
  try {
    module.load(path)
  } catch {
    throw new DeviceRefused(`ACTCHAIN_PKCS11_MODULE is ${path}, which is no library that loads.`)
  }
  try {
    module.C_Initialize({ flags: CKF_OS_LOCKING_OK })
  } catch (fault) {
    const result = resultOf(fault)
    if (result === undefined) throw fault
    throw new DeviceRefused(`ACTCHAIN_PKCS11_MODULE is ${path}, which does not start: ${result}.`)
  }
  return module
}

/** What is let go of may be gone already. */
export function quietly(act: () => void): void {
  try {
    act()
  } catch {
    // Nothing is left to do about it.
  }
}

async function newModule(): Promise<Pkcs11Module> {
  try {
    const { default: library } = await import('pkcs11js')
    return new library.PKCS11() as Pkcs11Module
  } catch {
    // Not there, or there and not built: npm may have been told to run no install scripts.
    throw new DeviceRefused(
      `ACTCHAIN_PKCS11_MODULE is set, and the npm package pkcs11js is not installed or not built; run npm install --no-save pkcs11js@2.1.7.`,
    )
  }
}
