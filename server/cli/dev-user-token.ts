/** `actchain dev user-token`: an ID token of a sample user, fresh from the development identity provider. */
import type { Command } from 'commander'
import { print, printJson } from './print.ts'
import { developmentConfigOrFail } from './settings-or-fail.ts'
import { signIn } from './sign-in.ts'

export function addDevUserToken(parent: Command): void {
  parent
    .command('user-token')
    .description('print an ID token of a sample user (alice, bob, carol or dave)')
    .argument('<user>', 'who signs in')
    .requiredOption('--for <agent>', 'the agent the token is for: its client id')
    .option('--idp <url>', 'issuer of the development identity provider')
    .option('--json', 'print {"id_token", "expires_in"}')
    .addHelpText('after', '\nExample:\n  actchain dev user-token alice --for planner')
    .action(userToken)
}

interface Options {
  readonly for: string
  readonly idp?: string
  readonly json?: boolean
}

async function userToken(user: string, options: Options): Promise<void> {
  const { devIdp = '' } = developmentConfigOrFail({})
  const token = await signIn({ idp: options.idp ?? devIdp, user, client: options.for })
  if (options.json) printJson(token)
  else print(token.id_token)
}
