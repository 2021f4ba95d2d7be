/** A process of its own that opens keyrings when told to: `[dataFolder, tenant]` in, the key's id out. */
import { openKeyring } from '../../keys/keyring.ts'

export type OpenOrder = readonly [dataFolder: string, tenant: string]

process.on('message', ([dataFolder, tenant]: OpenOrder) => {
  const keyring = openKeyring({ dataFolder, tenant, secret: 'shared by both' }, 'ES256')
  process.send?.(keyring.active.kid)
})
process.send?.('ready')
