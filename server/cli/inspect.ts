/** `actchain inspect`: a delegated token for people, taken apart and not verified. */
import type { Command } from 'commander'
import { MAX_TOKEN_LENGTH } from '../../lib/src/compact-jws.ts'
import { readStrictJsonText } from '../../lib/src/strict-json.ts'
import { Failure } from './failure.ts'
import { print, printJson } from './print.ts'
import { reportToken } from './token-report.ts'
import { tokenText } from './token-text.ts'

export function addInspect(program: Command): void {
  program
    .command('inspect')
    .description('show what a token says, without verifying it')
    .argument('[token]', 'the token, or a token response; read from stdin if absent')
    .option('--json', 'print the report as JSON')
    .addHelpText('after', '\nExample:\n  actchain dev curl | sh | actchain inspect')
    .action(inspect)
}

async function inspect(argument: string | undefined, options: { readonly json?: boolean }) {
  const token = readToken(argument ?? (await readStdin()))
  if (token.length > MAX_TOKEN_LENGTH) throw tooLarge()
  const report = reportToken(token)
  if (report === undefined) {
    throw new Failure('This is no signed token; give one as it was issued: three parts with dots.')
  }
  if (options.json) printJson(report)
  else print(tokenText(report))
}

/** The token in a pasted text: alone, after its scheme, or in a token response (RFC 6749 §5.1). */
function readToken(given: string): string {
  const text = given.trim()
  if (!text.startsWith('{')) return text.replace(/^(?:Bearer|DPoP) +/i, '')
  const response = readStrictJsonText(text)
  const token = response?.['access_token'] ?? response?.['id_token']
  if (typeof token === 'string') return token
  // A refusal piped here should be seen, not hidden; its text is escaped where it is printed.
  const { error, reason } = response ?? {}
  if (typeof error === 'string') {
    const why = typeof reason === 'string' ? ` (${reason})` : ''
    throw new Failure(`This is an error response, not a token: ${error}${why}`)
  }
  throw new Failure('This JSON has no access_token; give a token or a token response.')
}

/** Input is anyone's: no more is read than the largest token and what may stand around it. */
async function readStdin(): Promise<string> {
  if (process.stdin.isTTY) throw new Failure('Give a token as argument or on stdin.', 2)
  let text = ''
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    text += String(chunk)
    if (text.length > 2 * MAX_TOKEN_LENGTH) throw tooLarge()
  }
  return text
}

function tooLarge(): Failure {
  return new Failure(`This is larger than ${MAX_TOKEN_LENGTH} characters; no token is.`)
}
