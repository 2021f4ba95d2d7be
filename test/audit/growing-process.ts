/**
 * A process that appends to a log and signs it until it is killed, or so many times. Arguments: data folder, file of the log key
 * (PEM), rounds. Prints the size of each checkpoint once it is there.
 */
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { parseCheckpoint, parseNote } from '../../lib/src/audit/index.ts'
import { appendEntries, LOG, stageLog } from './log-stage.ts'

const [, , dataFolder = '', keyFile = '', rounds = ''] = process.argv
const privateKey = createPrivateKey(readFileSync(keyFile))
const stage = stageLog(dataFolder, { privateKey, publicKey: createPublicKey(privateKey) })

for (let round = 0; round < Number(rounds); round += 1) {
  appendEntries(stage, 40)
  const note = await stage.trees.checkpoint(LOG)
  process.stdout.write(`${parseCheckpoint(parseNote(note ?? '').text).size}\n`)
}
await stage.close()
process.exitCode = stage.damages.length + stage.faults.length
