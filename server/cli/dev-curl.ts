/** `actchain dev curl`: one exchange at the running server, ready to paste. */
import type { Command } from 'commander'
import type { Config } from '../config.ts'
import { composeExchange, type ExchangeLine } from './exchange-request.ts'
import { print, printJson } from './print.ts'
import { developmentConfigOrFail } from './settings-or-fail.ts'

const DEFAULTS = { as: 'planner', user: 'alice', target: 'researcher-a2a' } as const

export function addDevCurl(parent: Command): void {
  parent
    .command('curl')
    .description('print one exchange as a curl line; good for a minute, and once')
    .option('--as <agent>', 'the agent that asks', DEFAULTS.as)
    .option('--user <user>', 'the user it acts for', DEFAULTS.user)
    .option('--target <resource>', 'id of the resource the token is for', DEFAULTS.target)
    .option(
      '--scope <scopes>',
      'scopes to ask for, separated by spaces; all that are allowed if absent',
    )
    .option('--task-type <type>', 'needed where the agent may open several')
    .option('--tenant <tenant>', 'needed where there are several')
    .option('--public-url <url>', 'where the server answers')
    .option('--data <folder>', 'data folder of the server')
    .option('--idp <url>', 'issuer of the development identity provider')
    .option('--json', 'print {"curl", "expires_in", "issuer"}')
    .addHelpText('after', '\nExample:\n  actchain dev curl --as planner --user alice | sh')
    .action(curl)
}

interface Options {
  readonly as: string
  readonly user: string
  readonly target: string
  readonly scope?: string
  readonly taskType?: string
  readonly tenant?: string
  readonly publicUrl?: string
  readonly data?: string
  readonly idp?: string
  readonly json?: boolean
}

async function curl(options: Options): Promise<void> {
  const { publicUrl, data } = options
  const { dataFolder, devIdp = '', ...config } = developmentConfigOrFail({ publicUrl, data })
  const line = await composeExchange({
    dataFolder,
    publicUrl: config.publicUrl,
    idp: options.idp ?? devIdp,
    tenant: options.tenant,
    agent: options.as,
    user: options.user,
    target: options.target,
    scope: options.scope,
    taskType: options.taskType,
  })
  if (options.json) printJson(line)
  else print(line.curl)
}

/** What `dev curl` prints by default, for a server that has just started. */
export function sampleExchange(config: Config, idp: string, issuer: string): Promise<ExchangeLine> {
  return composeExchange({
    dataFolder: config.dataFolder,
    publicUrl: config.publicUrl,
    idp,
    tenant: issuer.slice(`${config.publicUrl}/t/`.length),
    agent: DEFAULTS.as,
    user: DEFAULTS.user,
    target: DEFAULTS.target,
    scope: undefined,
    taskType: undefined,
  })
}
