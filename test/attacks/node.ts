/** A process of its own: one more node of the authorization server, over the same data and tenants, on other ports. */
import { isProblems, readProcessConfig } from '../../server/config.ts'
import { startServer } from '../../server/main.ts'
import type { Log } from '../../server/telemetry/log.ts'

const config = readProcessConfig()
if (isProblems(config)) throw new Error(JSON.stringify(config))
const silence = (): void => {}
const silent: Log = {
  debug: silence,
  info: silence,
  warn: silence,
  error: silence,
  child: () => silent,
}
const server = await startServer(config, { log: silent })
process.stdout.write('ready\n')
process.once('SIGTERM', () => {
  void server.close()
})
