/** The memory store is the reference: what it does is what the contract says, and the contract is what it does. */
import { openMemoryStore } from '../support/memory-store.ts'
import { storeContract } from './contract.ts'
import { versionsContract } from './versions-contract.ts'

storeContract('memory store', async (clock) => openMemoryStore(clock))
versionsContract('memory store: versions', async (clock) => openMemoryStore(clock))
