/**
 * Whom an address of a connection stands for. Limits are kept by this, never by the address alone: one subscriber of
 * IPv6 has 2^64 of them (RFC 4291 §2.5.1, attack case M01). What a request says of its origin (`X-Forwarded-For`,
 * `Forwarded`) is its sender's text and is read nowhere.
 */

const GROUPS = 8
const NETWORK_GROUPS = 4
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

/** An IPv4 address, or the /64 an IPv6 address is in; `unknown` for a connection that has none any more. */
export function peerOf(address: string | undefined): string {
  const exact = exactAddress(address)
  if (!exact.includes(':')) return exact
  return `${exact.split(':').slice(0, NETWORK_GROUPS).join(':')}::/64`
}

/** The one spelling of an address: no zone, no shortening, IPv4 where IPv6 only carries it. */
export function exactAddress(address: string | undefined): string {
  const [text = ''] = (address ?? '').split('%')
  const mapped = MAPPED.exec(text)?.[1] ?? text
  if (!mapped.includes(':')) return mapped === '' ? 'unknown' : mapped
  const [head = '', tail] = mapped.toLowerCase().split('::')
  const before = groupsOf(head)
  const after = groupsOf(tail ?? '')
  const zeros = tail === undefined ? 0 : Math.max(0, GROUPS - before.length - after.length)
  return [...before, ...Array.from({ length: zeros }, () => '0'), ...after].join(':')
}

/** RFC 1122 §3.2.1.3, RFC 4291 §2.5.3. */
export function isLoopback(address: string | undefined): boolean {
  const exact = exactAddress(address)
  return exact.startsWith('127.') || exact === '0:0:0:0:0:0:0:1'
}

function groupsOf(text: string): readonly string[] {
  return text === '' ? [] : text.split(':').map((group) => group.replace(/^0+(?=.)/, ''))
}
