/** Which tokens the logs say were issued: what recovery asks after a crash. */
import { createReadStream, existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { FindIssued } from '../use-cases/ports.ts'
import { parseLine } from './entry-line.ts'
import { entriesPath, logFolder } from './log-paths.ts'

export function createFindIssued(dataFolder: string): FindIssued {
  return async (hops) => {
    const found = new Set<(typeof hops)[number]>()
    for (const [tenant, ofTenant] of Map.groupBy(hops, (hop) => hop.tenant)) {
      const path = entriesPath(logFolder(dataFolder, tenant))
      if (!existsSync(path)) continue
      const wanted = new Map(ofTenant.map((hop) => [`${hop.txn} ${hop.jti}`, hop]))
      for await (const line of createInterface({ input: createReadStream(path) })) {
        const entry = parseLine(line)
        if (entry?.outcome !== 'permit') continue
        const hop = wanted.get(`${entry.txn} ${entry.jti}`)
        if (hop !== undefined) found.add(hop)
      }
    }
    return found
  }
}
