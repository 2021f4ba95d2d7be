/**
 * Which IP addresses the server may connect to: public unicast ones alone. Everything with a special purpose is
 * refused, and so is every IPv6 form that carries an IPv4 address inside.
 * Spec: https://www.iana.org/assignments/iana-ipv4-special-registry, iana-ipv6-special-registry
 */
import { BlockList, isIP } from 'node:net'

const IPV4_REFUSED: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8], // RFC 791: this network
  ['10.0.0.0', 8], // RFC 1918: private
  ['100.64.0.0', 10], // RFC 6598: carrier-grade NAT
  ['127.0.0.0', 8], // RFC 1122: loopback
  ['168.63.129.16', 32], // of the public space, but Azure answers there with what belongs to the virtual machine
  ['169.254.0.0', 16], // RFC 3927: link-local, where clouds put instance metadata
  ['172.16.0.0', 12], // RFC 1918: private
  ['192.0.0.0', 24], // RFC 6890: protocol assignments
  ['192.0.2.0', 24], // RFC 5737: documentation
  ['192.88.99.0', 24], // RFC 7526: 6to4 relay
  ['192.168.0.0', 16], // RFC 1918: private
  ['198.18.0.0', 15], // RFC 2544: benchmarking
  ['198.51.100.0', 24], // RFC 5737: documentation
  ['203.0.113.0', 24], // RFC 5737: documentation
  ['224.0.0.0', 4], // RFC 5771: multicast
  ['240.0.0.0', 4], // RFC 1112: reserved, and broadcast
]

/** Inside 2000::/3. */
const IPV6_REFUSED: readonly (readonly [string, number])[] = [
  ['2001::', 23], // RFC 2928: protocol assignments, Teredo among them
  ['2001:db8::', 32], // RFC 3849: documentation
  ['2002::', 16], // RFC 3056: 6to4
  ['3fff::', 20], // RFC 9637: documentation
]

const refused = new BlockList()
for (const [network, prefix] of IPV4_REFUSED) refused.addSubnet(network, prefix, 'ipv4')
for (const [network, prefix] of IPV6_REFUSED) refused.addSubnet(network, prefix, 'ipv6')

// RFC 4291 §2.4: global unicast as IANA hands it out. Outside of it are ::1, mapped and translated IPv4
// (::ffff:0:0/96, 64:ff9b::/96), unique local, link-local and multicast addresses.
const globalUnicast = new BlockList()
globalUnicast.addSubnet('2000::', 3, 'ipv6')

/** Of an operator's own network. Two lists: a check of `::ffff:10.0.0.1` looks into IPv4 ranges too. */
const internalIpv4 = new BlockList()
internalIpv4.addSubnet('10.0.0.0', 8, 'ipv4') // RFC 1918
internalIpv4.addSubnet('172.16.0.0', 12, 'ipv4') // RFC 1918
internalIpv4.addSubnet('192.168.0.0', 16, 'ipv4') // RFC 1918
internalIpv4.addSubnet('100.64.0.0', 10, 'ipv4') // RFC 6598
const internalIpv6 = new BlockList()
internalIpv6.addSubnet('fc00::', 7, 'ipv6') // RFC 4193

/** Inside of those ranges, where clouds hand out credentials of the machine. */
const metadata = new BlockList()
metadata.addAddress('100.100.100.200', 'ipv4') // Alibaba Cloud
metadata.addSubnet('fd00:ec2::', 32, 'ipv6') // AWS
metadata.addSubnet('fd20:ce::', 32, 'ipv6') // Google Cloud

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** @param address in the form a resolver or URL parser writes; anything else is not public */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !refused.check(address, 'ipv4')
    case 6:
      // A zone (`%eth0`) belongs to link-local addresses only.
      return (
        !address.includes('%') &&
        globalUnicast.check(address, 'ipv6') &&
        !refused.check(address, 'ipv6')
      )
    default:
      return false
  }
}

/** Private, shared or unique local, and not where a cloud's metadata is. */
export function isInternalAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return internalIpv4.check(address, 'ipv4') && !metadata.check(address, 'ipv4')
    case 6:
      return (
        !address.includes('%') &&
        internalIpv6.check(address, 'ipv6') &&
        !metadata.check(address, 'ipv6')
      )
    default:
      return false
  }
}

export function isLoopbackAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 0 || address.includes('%')) return false
  // The check takes ::ffff:127.0.0.1 for loopback too; only the plain forms are meant.
  if (family === 6) return address === '::1'
  return loopback.check(address, 'ipv4')
}
