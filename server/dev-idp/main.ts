/**
 * Process of the development identity provider: arguments, key file, listen, stop. Refuses production.
 * `node --conditions=actchain:source server/dev-idp/main.ts --port 8462 --data .actchain [--clients planner,mailer]`
 */
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { describeProblems, isProblems, readDevelopmentConfig } from '../config.ts'
import { ensureDevelopmentKey } from '../development-keys.ts'
import { listen } from './listen.ts'

async function main(): Promise<void> {
  const { port, data, clients } = readArguments()
  const config = readDevelopmentConfig({ data, idpPort: port })
  if (isProblems(config)) return stop(describeProblems(config), 1)
  const { dataFolder, devIdp = '' } = config
  const signingKey = await ensureDevelopmentKey(join(resolve(dataFolder), 'dev-idp', 'signing.jwk'))
  const running = await listen({
    port: Number(new URL(devIdp).port),
    signingKey,
    ...(clients !== undefined && { clients: new Set(clients.split(',')) }),
  })
  const close = () => void running.close().then(() => process.exit(0))
  process.once('SIGINT', close).once('SIGTERM', close).once('disconnect', close)
  if (process.send) process.send({ issuer: running.issuer })
  else process.stdout.write(`Development identity provider at ${running.issuer}\n`)
}

function readArguments() {
  try {
    const text = { type: 'string' } as const
    return parseArgs({ options: { port: text, data: text, clients: text } }).values
  } catch (error) {
    return stop(error instanceof Error ? error.message : 'wrong arguments', 2)
  }
}

function stop(sentence: string, code: 1 | 2): never {
  process.stderr.write(`${sentence}\n`)
  process.exit(code)
}

main().catch((error: unknown) => {
  const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
  const sentence = error instanceof Error ? error.message : 'failed'
  stop(taken ? 'The port is taken; free it or choose another with --port.' : sentence, 1)
})
