/**
 * `actchain agents secret`: a client secret and its hash. The secret is shown once and kept nowhere; the hash goes into the facts.
 */
import { hash, randomBytes } from 'node:crypto'
import type { Command } from 'commander'
import { SECRET_PREFIX } from '../core/secret-form.ts'
import { print, printJson } from './print.ts'

const OCTETS = 32

export function addSecret(agents: Command): void {
  agents
    .command('secret')
    .description('make a client secret, and the hash of it for agents.yaml')
    .option('--json', 'print {"secret", "secret_sha256"}')
    .addHelpText('after', SECRET_HELP)
    .action(makeSecret)
}

const SECRET_HELP = `
The secret goes to the agent and is shown only now; agents.yaml has the hash. Whoever reads a
secret is the agent: keys, or the identity its platform gives it, are better (docs/workload-identity.md).

Example:
  actchain agents secret`

function makeSecret({ json }: { readonly json?: true }): void {
  const secret = `${SECRET_PREFIX}${randomBytes(OCTETS).toString('base64url')}`
  const digest = hash('sha256', secret, 'base64url')
  if (json) {
    printJson({ secret, secret_sha256: digest })
    return
  }
  print(`secret         ${secret}`)
  print(`secret_sha256  ${digest}`)
}
