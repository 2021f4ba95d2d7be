/**
 * The one moment between the library's reading of a form and its look for a client: the assignment of the form to its
 * request context. Held by a test; where it is ever missed, no client is authenticated and every request is refused.
 */
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { Provider } from 'oidc-provider/lib/provider.js'

/** A form as parsed, before the library takes its parameters from it. */
export type ParsedForm = Record<string, unknown>

/** Calls `read` with each form once, synchronously, as soon as it is parsed; what it changes the library sees. */
export function onForm(
  provider: Provider,
  read: (ctx: KoaContextWithOIDC, form: ParsedForm) => void,
): void {
  const forms = new WeakMap<object, ParsedForm>()
  const { prototype } = (provider as unknown as { OIDCContext: { prototype: object } }).OIDCContext
  Object.defineProperty(prototype, 'body', {
    get(this: object) {
      return forms.get(this)
    },
    set(this: { readonly ctx: KoaContextWithOIDC }, form: ParsedForm) {
      forms.set(this, form)
      read(this.ctx, form)
    },
  })
}
