/**
 * The page where a person says who they are: one button a user, no password, no script. Posting `user` to its
 * address signs that user in.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Provider } from 'oidc-provider'
import { SessionNotFound } from 'oidc-provider/lib/helpers/errors.js'
import { PEOPLE } from './people.ts'

/** What an ID token says of a sign-in here (OpenID Connect Core §2): nobody was asked for anything, so no `amr`. */
export const ACR = 'dev'

const LARGEST_FORM = 1024

/** Serves `/interaction/{uid}` on the provider. */
export function serveSignInPage(provider: Provider): void {
  provider.use(async (ctx, next) => {
    const uid = /^\/interaction\/([\w-]{1,64})$/.exec(ctx.path)?.[1]
    if (uid === undefined) {
      await next()
      return
    }
    ctx.set('cache-control', 'no-store')
    // The browser's own cookie must belong to this sign-in: nobody can finish another's.
    if (!(await isOwnSignIn(provider, ctx.req, ctx.res, uid))) {
      refuse(ctx, 'This sign-in has ended; start it again from the application.\n')
    } else if (ctx.method === 'POST') {
      await signIn(provider, ctx)
    } else {
      ctx.set('content-security-policy', "default-src 'none'; frame-ancestors 'none'")
      ctx.type = 'html'
      ctx.body = PAGE
    }
  })
}

type Context = Parameters<Parameters<Provider['use']>[0]>[0]

async function signIn(provider: Provider, ctx: Context): Promise<void> {
  const user = new URLSearchParams(await readForm(ctx.req)).get('user') ?? ''
  if (!PEOPLE.includes(user)) {
    refuse(ctx, `There is no such user; choose one of ${PEOPLE.join(', ')}.\n`)
    return
  }
  ctx.respond = false // The provider answers by itself.
  await provider.interactionFinished(ctx.req, ctx.res, {
    login: { accountId: user, acr: ACR, remember: false },
    consent: {}, // Choosing a user is consent; a native client is asked each time (RFC 8252 §8.6).
  })
}

async function isOwnSignIn(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
  uid: string,
): Promise<boolean> {
  try {
    return (await provider.interactionDetails(request, response)).uid === uid
  } catch (error) {
    if (error instanceof SessionNotFound) return false
    throw error
  }
}

function refuse(ctx: Context, sentence: string): void {
  ctx.status = 400
  ctx.type = 'text'
  ctx.body = sentence
}

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sign in (development)</title>
<h1>Sign in</h1>
<p>Development identity provider: choose who you are.</p>
<form method="post">
${PEOPLE.map((user) => `<p><button name="user" value="${user}">${user}</button></p>`).join('\n')}
</form>
</html>
`

/** The body as text; empty when it is larger than any form of ours. */
async function readForm(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) {
    text += String(chunk)
    if (text.length > LARGEST_FORM) return ''
  }
  return text
}
