/** What client certificates cost: a client that stands costs no chain, and whoever fails costs what others cost. */
import type * as Crypto from 'node:crypto'
import { verify } from 'node:crypto'
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { parseCertificate } from '../../keys/certificate.ts'
import { validatePath } from '../../keys/certificate-path.ts'
import type { AgentAuth } from '../../server/core/agent-auth.ts'
import type { Agent, Tenant } from '../../server/core/tenant.ts'
import {
  type CertificateVerifier,
  createCertificateVerifier,
} from '../../server/oauth/authentication/certificate-verifier.ts'
import type { TrustMaterial } from '../../server/oauth/authentication/trust-material.ts'
import {
  hoursFromNow,
  makeIntermediate,
  makeRevocationList,
  makeRoot,
  makeSelfSigned,
  makeSvid,
  type TestCertificate,
} from '../support/certificates.ts'

vi.mock('node:crypto', async (load) => {
  const real = await load<typeof Crypto>()
  return { ...real, verify: vi.fn(real.verify) }
})

const D = 'd.example'
const auths: Readonly<Record<string, AgentAuth>> = {
  planner: { method: 'spiffe_x509', spiffeId: `spiffe://${D}/planner` },
  keyed: { method: 'private_key_jwt', jwks: [], development: false },
  corporate: {
    method: 'tls_client_auth',
    authority: 'corp',
    subject: { kind: 'san_uri', value: 'https://a.example' },
  },
}
const agentOf = (id: string): Agent | undefined =>
  id in auths ? ({ id, auth: auths[id] } as unknown as Agent) : undefined

let root: TestCertificate
let sound: TestCertificate
let verifier: CertificateVerifier
let tenant: Tenant
let validations: number
/** What the trust material is just now. */
let bundle: { readonly authorities: readonly Uint8Array[]; readonly jwtKeys: readonly [] }
let lists: Uint8Array
let retried: number

beforeAll(async () => {
  root = await makeRoot()
  sound = await makeSvid(root, `spiffe://${D}/planner`)
  const domain = { name: D, bundle: { file: 'd.json' }, crl: 'd.crl', maxLifetime: 300 }
  tenant = {
    id: 'acme',
    trustDomains: new Map([[D, domain]]),
    certificateAuthorities: new Map([
      ['corp', { id: 'corp', certificates: [Buffer.from(root.der).toString('base64')] }],
    ]),
  } as unknown as Tenant
})

beforeEach(async () => {
  validations = 0
  retried = 0
  bundle = { authorities: [root.der], jwtKeys: [] }
  lists = await makeRevocationList(root)
  const trust = {
    bundle: async (_tenant: string, _domain: unknown, isRetry: boolean) => {
      retried += isRetry ? 1 : 0
      return bundle
    },
    revocationList: async () => lists,
  } as unknown as TrustMaterial
  verifier = createCertificateVerifier({
    tenant,
    trust,
    validate: (request) => {
      validations += 1
      return validatePath(request)
    },
  })
})

const present = (
  clientId: string,
  { der, thumbprint }: TestCertificate,
  { chain = [] as readonly Uint8Array[], now = Date.now() / 1000 } = {},
) =>
  verifier.verify({
    agent: agentOf(clientId),
    clientId,
    certificate: { der, thumbprint, chain },
    now,
  })
const PLANNER = {
  client: 'planner',
  method: 'spiffe_x509',
  credential: `spiffe://${D}/planner`,
  use: { kind: 'standing' },
}

describe('a client that stands', () => {
  test('costs one path, and no signature afterwards', async () => {
    expect(await present('planner', sound)).toEqual(PLANNER)
    vi.mocked(verify).mockClear()
    for (let time = 0; time < 20; time += 1) {
      expect(await present('planner', sound, { chain: [root.der] })).toEqual(PLANNER)
    }
    // Once without the list, which is asked for only where an anchor vouches, and once with it.
    expect(validations).toBe(2)
    expect(verify).not.toHaveBeenCalled()
  })

  test('is looked at again when the bundle changes, and is out with its authority', async () => {
    await present('planner', sound)
    bundle = { authorities: [root.der], jwtKeys: [] }
    expect(await present('planner', sound)).toEqual(PLANNER)
    expect(validations).toBe(4)
    // SPB-4-01: an empty list trusts nobody.
    bundle = { authorities: [], jwtKeys: [] }
    expect(await present('planner', sound)).toBe('certificate_untrusted')
  })

  test('is looked at again when the list changes, and is out when it is on it', async () => {
    await present('planner', sound)
    lists = await makeRevocationList(root, { revoked: [sound] })
    expect(await present('planner', sound)).toBe('certificate_revoked')
    lists = await makeRevocationList(root)
    expect(await present('planner', sound)).toEqual(PLANNER)
    lists = Buffer.from('no list')
    expect(await present('planner', sound)).toBe('revocation_list_unreadable')
    expect(validations).toBe(5)
  })

  test('stands no longer than the first that ends: a list, its certificate, or what signed it', async () => {
    await present('planner', sound)
    const now = hoursFromNow(2).getTime() / 1000
    expect(await present('planner', sound, { now })).toBe('certificate_expired')
    expect(await present('planner', sound)).toEqual(PLANNER)
    const [short] = [await makeRevocationList(root, { nextUpdate: hoursFromNow(0.5) })]
    lists = short
    await present('planner', sound)
    const later = hoursFromNow(0.75).getTime() / 1000
    expect(await present('planner', sound, { now: later })).toBe('revocation_list_stale')
  })

  test('is nobody else', async () => {
    await present('planner', sound)
    expect(await present('keyed', sound)).toBe('method_mismatch')
    expect(await present('corporate', sound)).toBe('certificate_subject')
    expect(await present('nobody', sound)).toBe('client_unknown')
  })

  test('a bundle that has a newer authority is asked for once', async () => {
    const newer = await makeRoot()
    const svid = await makeSvid(newer, `spiffe://${D}/planner`)
    lists = await makeRevocationList(newer)
    const before = bundle
    expect(await present('planner', svid)).toBe('certificate_signature')
    expect(retried).toBe(1)
    bundle = { ...before, authorities: [root.der, newer.der] }
    expect(await present('planner', svid)).toEqual(PLANNER)
    expect(retried).toBe(1)
  })
})

describe('E11 whoever fails costs one signature check', () => {
  test.each(['no-such-client', 'keyed', 'corporate', 'planner'])('E11 as %s', async (id) => {
    const stranger = await makeSvid(root, `spiffe://${D}/stranger`)
    const forged = await makeSvid(await makeRoot(), `spiffe://${D}/planner`)
    const alone = await makeSelfSigned()
    const bytes = { ...alone, der: new Uint8Array([0x30, 0]), thumbprint: 'x' }
    for (const certificate of [stranger, forged, alone, bytes]) {
      vi.mocked(verify).mockClear()
      expect(await present(id, certificate)).toEqual(expect.any(String))
      expect(verify).toHaveBeenCalledTimes(1)
    }
  })

  test('E11 as an intermediate of nobody’s, however many come with it', async () => {
    const impostor = await makeRoot()
    const between = await makeIntermediate(impostor, { subject: 'CN=Between' })
    const svid = await makeSvid(between, `spiffe://${D}/planner`)
    vi.mocked(verify).mockClear()
    const chain = Array.from({ length: 8 }, () => between.der)
    expect(await present('planner', svid, { chain })).toBe('certificate_signature')
    expect(verify).toHaveBeenCalledTimes(1)
  })
})

test('what cannot be read vouches for nobody', async () => {
  bundle = { authorities: [new Uint8Array([1]), root.der.subarray(1)], jwtKeys: [] }
  expect(parseCertificate(root.der)).toBeDefined()
  expect(await present('planner', sound)).toBe('certificate_untrusted')
})

test('a fault of the trust material is a fault, never a client', async () => {
  const down = () => Promise.reject(new Error('down'))
  const without = (missing: object) => {
    const trust = { bundle: async () => bundle, revocationList: async () => lists, ...missing }
    return createCertificateVerifier({ tenant, trust: trust as unknown as TrustMaterial })
  }
  verifier = without({ bundle: down })
  // E11: known or not.
  for (const id of ['planner', 'nobody', 'keyed', 'corporate']) {
    await expect(present(id, sound)).rejects.toThrow('down')
  }
  verifier = without({ revocationList: down })
  await expect(present('planner', sound)).rejects.toThrow('down')
  const forged = await makeSvid(await makeRoot(), `spiffe://${D}/planner`)
  expect(await present('planner', forged)).toBe('certificate_signature')
})
