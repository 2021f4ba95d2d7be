/** The memory store is the reference: what it does is what the contract says, and the contract is what it does. */
import { openMemoryStore } from '../support/memory-store.ts'
import { storeContract } from './contract.ts'
import { countersContract } from './counters-contract.ts'
import { endingsContract } from './endings-contract.ts'
import { queriesContract } from './queries-contract.ts'
import { statusListsContract } from './status-lists-contract.ts'
import { versionsContract } from './versions-contract.ts'

for (const contract of [
  storeContract,
  endingsContract,
  statusListsContract,
  queriesContract,
  countersContract,
  versionsContract,
]) {
  contract('memory store', async (clock) => openMemoryStore(clock))
}
