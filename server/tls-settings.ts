/**
 * Settings of the TLS edge: the server's own certificate, and who signs those of the proxies in front. Every text is PEM and is
 * parsed here, so that a wrong one stops the start and not the first handshake.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { Secret } from './core/secret.ts'
import type { Report, Setting, Settings } from './settings.ts'

/** PEM texts. */
export interface TlsPair {
  readonly cert: string
  readonly key: Secret
}

/** RFC 7518 §3.3 asks 2048 bits of RSA keys; a shorter TLS key is a leftover (attack case K06). */
const LEAST_RSA_BITS = 2048

export function readTls(settings: Settings, report: Report): TlsPair | undefined {
  const cert = settings.get('ACTCHAIN_TLS_CERT')
  const key = settings.get('ACTCHAIN_TLS_KEY')
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined || key === undefined) {
    const missing = cert === undefined ? 'ACTCHAIN_TLS_CERT' : 'ACTCHAIN_TLS_KEY'
    report(missing, 'is missing; set both ACTCHAIN_TLS_CERT and ACTCHAIN_TLS_KEY, or neither.')
    return undefined
  }
  const certificate = parsed(() => new X509Certificate(cert))
  const privateKey = parsed(() => createPrivateKey(key))
  if (!certificate) reportPem(report, 'ACTCHAIN_TLS_CERT', 'certificate')
  if (!privateKey) reportPem(report, 'ACTCHAIN_TLS_KEY', 'private key')
  if (!certificate || !privateKey) return undefined
  if (!certificate.checkPrivateKey(privateKey)) {
    report('ACTCHAIN_TLS_KEY', 'is not the key of ACTCHAIN_TLS_CERT; give the pair.')
  }
  if (isShortRsa(privateKey)) {
    report('ACTCHAIN_TLS_KEY', `is an RSA key below ${LEAST_RSA_BITS} bits; use a longer one.`)
  }
  return { cert, key: new Secret(key) }
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** Without a listed proxy, or without TLS of our own, there is nobody it could be about: a start that believed otherwise is refused. */
export function readProxyCa(settings: Settings, report: Report): string | undefined {
  const text = settings.get('ACTCHAIN_PROXY_CA')
  if (text === undefined) return undefined
  if (!settings.has('ACTCHAIN_PROXIES')) {
    report('ACTCHAIN_PROXY_CA', 'is set without ACTCHAIN_PROXIES; list the addresses it is for.')
  }
  if (!settings.has('ACTCHAIN_TLS_CERT')) {
    report('ACTCHAIN_PROXY_CA', 'needs ACTCHAIN_TLS_CERT; a proxy proves itself to us over TLS.')
  }
  const blocks = text.match(PEM_CERTIFICATE) ?? []
  const authorities = blocks.map((block) => parsed(() => new X509Certificate(block)))
  if (authorities.length === 0 || authorities.includes(undefined)) {
    reportPem(report, 'ACTCHAIN_PROXY_CA', 'certificate')
  } else if (authorities.some((authority) => authority?.ca !== true)) {
    report('ACTCHAIN_PROXY_CA', 'has a certificate that is no authority; give the one that signs.')
  }
  return blocks.join('\n')
}

function reportPem(report: Report, setting: Setting, what: string): void {
  report(setting, `is not a PEM ${what}; for a file's path use ${setting}_FILE.`)
}

function parsed<T>(parse: () => T): T | undefined {
  try {
    return parse()
  } catch {
    return undefined // The cause may quote the key; the problem says what to do.
  }
}

function isShortRsa(key: KeyObject): boolean {
  const bits = key.asymmetricKeyDetails?.modulusLength
  return bits !== undefined && bits < LEAST_RSA_BITS
}
