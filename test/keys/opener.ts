/** A process of its own that opens keyrings when told to: `[dataFolder, owner]` in, the key's id out. */
import { openKeyring } from '../../keys/keyring.ts'

export type OpenOrder = readonly [dataFolder: string, owner: string]

process.on('message', ([dataFolder, owner]: OpenOrder) => {
  const keyring = openKeyring({ dataFolder, owner, secret: 'shared by both' }, 'ES256')
  process.send?.(keyring.active.kid)
})
process.send?.('ready')
