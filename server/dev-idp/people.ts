/**
 * Who can sign in at the development identity provider. No passwords: whoever reaches the port is trusted, which is why
 * it listens on loopback and refuses production.
 */

/** The identifiers are stable: they are the `sub` of every ID token. */
export const PEOPLE: readonly string[] = ['alice', 'bob', 'carol', 'dave']
