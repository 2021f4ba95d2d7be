/**
 * The two modules of oidc-provider we load by file. Its front door prints a warning on every Node release that is not yet
 * named LTS, the one we pin included.
 */
declare module 'oidc-provider/lib/provider.js' {
  export { Provider } from 'oidc-provider'
}

declare module 'oidc-provider/lib/helpers/errors.js' {
  import type { errors } from 'oidc-provider'
  export const SessionNotFound: typeof errors.SessionNotFound
  export const InvalidClientAuth: typeof errors.InvalidClientAuth
}
