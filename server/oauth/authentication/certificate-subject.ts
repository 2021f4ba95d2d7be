/**
 * RFC 8705 §2.1.2: the one name a client is registered with, in its certificate. Names are equal or not: no part of one, no
 * wildcard, no case but where a kind of name has none.
 */
import { isIPv4, isIPv6 } from 'node:net'
import type { Certificate } from '../../../keys/certificate.ts'
import type { CertificateSubject } from '../../core/agent-auth.ts'
import { isSameName, parseDistinguishedName } from '../../core/distinguished-name.ts'

export function isExpectedSubject(
  { kind, value }: CertificateSubject,
  { names, subjectName }: Certificate,
): boolean {
  switch (kind) {
    case 'subject_dn': {
      const expected = parseDistinguishedName(value)
      return expected !== undefined && isSameName(expected, subjectName)
    }
    case 'san_uri':
      return names.uri.includes(value)
    case 'san_dns':
      return isAmong(names.dns, value, readDnsName)
    case 'san_email':
      return isAmong(names.email, value, readMailbox)
    case 'san_ip':
      return isAmong(names.ip, value, readAddress)
  }
}

/** Compared in one spelling; what has none equals nothing. */
function isAmong(
  names: readonly string[],
  value: string,
  read: (text: string) => string | undefined,
): boolean {
  const expected = read(value)
  return expected !== undefined && names.some((name) => read(name) === expected)
}

/** RFC 4343: a DNS name has no case. A wildcard is many names, and a client is one. */
function readDnsName(text: string): string | undefined {
  return /^[A-Za-z0-9._-]+$/.test(text) ? text.toLowerCase() : undefined
}

/** RFC 5280 §4.2.1.6, §7.5: the host has no case, what is before it may have. */
function readMailbox(text: string): string | undefined {
  const at = text.lastIndexOf('@')
  const host = at < 1 ? undefined : readDnsName(text.slice(at + 1))
  return host === undefined ? undefined : `${text.slice(0, at)}@${host}`
}

/** RFC 8705 §2.1.2: addresses compare in binary form; the URL standard writes one text for each (§3.5). */
function readAddress(text: string): string | undefined {
  if (isIPv4(text)) return text
  if (!isIPv6(text) || text.includes('%')) return undefined
  return new URL(`http://[${text}]/`).hostname
}
