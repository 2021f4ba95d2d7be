/**
 * The floor of an exchange: the signatures nobody can avoid. Three checks (client assertion, proof, subject token) and
 * one signature (the new token), each one call of node:crypto with P-256 keys read beforehand, over 900 bytes.
 */
import { generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto'

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const signing = { key: pair.privateKey, dsaEncoding: 'ieee-p1363' } as const
const checking = { key: pair.publicKey, dsaEncoding: 'ieee-p1363' } as const
const data = randomBytes(900)

/** Microseconds of this thread's CPU for one floor, over so many of them. */
export function measureFloor(times: number): number {
  const start = process.threadCpuUsage()
  for (let time = 0; time < times; time++) once()
  const { user, system } = process.threadCpuUsage(start)
  return (user + system) / times
}

function once(): void {
  const signature = sign('sha256', data, signing)
  for (let check = 0; check < 3; check++) {
    if (!verify('sha256', data, checking, signature))
      throw new Error('a good signature was refused')
  }
}
