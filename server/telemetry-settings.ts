/** How much of it the process tells of itself, and to whom: the level of its log, and the collector of its traces. */
import { isInternalAddress, isLoopbackAddress } from './fetch/public-address.ts'
import type { Report, Settings } from './settings.ts'
import { LOG_LEVELS, type LogLevel } from './telemetry/log-fields.ts'

export function readLogLevel(settings: Settings, report: Report): LogLevel {
  const stated = settings.get('ACTCHAIN_LOG_LEVEL') ?? 'info'
  const level = LOG_LEVELS.find((name) => name === stated)
  if (level === undefined) {
    const text = `is ${JSON.stringify(stated.slice(0, 100))}; set it to ${LOG_LEVELS.join(', ')}.`
    report('ACTCHAIN_LOG_LEVEL', text)
  }
  return level ?? 'info'
}

/** Where the collector takes spans: the path of OTLP over HTTP is put behind what is stated. */
const TRACES_PATH = 'v1/traces'

/** Undefined: nothing is traced. */
export function readOtlpUrl(settings: Settings, report: Report): string | undefined {
  const stated = settings.get('ACTCHAIN_OTLP_URL')
  if (stated === undefined) return undefined
  const url = URL.parse(stated)
  // A password in an address ends up in lists of processes and in logs: the text is not repeated.
  const isPlain = url?.username === '' && url.password === '' && url.search + url.hash === ''
  if (!isPlain || !['http:', 'https:'].includes(url.protocol)) {
    const text = 'is not an address of a collector; set it to one like https://otlp.example:4318.'
    report('ACTCHAIN_OTLP_URL', text)
    return undefined
  }
  if (url.protocol === 'http:' && !isInside(url.hostname)) {
    report('ACTCHAIN_OTLP_URL', 'is plain http away from the own network; use https.')
  }
  return `${url.href.replace(/\/$/, '')}/${TRACES_PATH}`
}

/** Names that no public resolver knows: of one label, or below what is kept for networks of one's own (RFC 6762, ICANN). */
const INSIDE_NAME = /^(?:[a-z0-9-]+|.+\.(?:svc|internal|local|localhost))$/

function isInside(hostname: string): boolean {
  const address = hostname.replace(/^\[|\]$/g, '')
  return isLoopbackAddress(address) || isInternalAddress(address) || INSIDE_NAME.test(hostname)
}
