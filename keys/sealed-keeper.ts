/** Private keys as files sealed under the operator's secret, one file each: `{data}/keys/{name}.sealed`. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { SignatureAlgorithm } from './algorithm.ts'
import type { KeyKeeper } from './key-keeper.ts'
import { createSealed, openSealed } from './sealed-file.ts'
import { createLocalSigner, generatePrivateJwk, type PrivateJwk, type Signer } from './signer.ts'
import { keepSpare } from './spare-file.ts'

export function createSealedKeeper({
  dataFolder,
  secret,
}: {
  readonly dataFolder: string
  readonly secret: string
}): KeyKeeper {
  const folder = join(dataFolder, 'keys')
  const pathOf = (name: string): string => join(folder, `${name}.sealed`)

  async function open(name: string, alg: SignatureAlgorithm): Promise<Signer | undefined> {
    const sealed = await openSealed(pathOf(name), secret)
    if (sealed === undefined) return undefined
    keepSpare(folder)
    return createLocalSigner(JSON.parse(sealed) as PrivateJwk, alg)
  }

  async function keep(name: string, alg: SignatureAlgorithm, key: PrivateJwk): Promise<Signer> {
    const isMade = createSealed(pathOf(name), secret, JSON.stringify(key))
    keepSpare(folder)
    if (isMade) return createLocalSigner(key, alg)
    const first = await open(name, alg)
    if (first === undefined) throw new Error('a sealed key vanished while it was being made')
    return first
  }

  return {
    kind: 'sealed',
    open,
    make: (name, alg) => keep(name, alg, generatePrivateJwk(alg)),
    import: keep,
    remove: (name) => rm(pathOf(name), { force: true }),
  }
}
