/** MCP authorization, revision 2026-07-28, and its extensions: https://modelcontextprotocol.io/specification/2026-07-28 */
import { row, table } from '../requirement.ts'

const TEXT = 'the repository of the specification, 2026-08-22'
const EXTENSIONS = { source: 'the repository of the extensions, 2025-10-24' } as const
const SEP = {
  source:
    'not at hand: SEP-1932 and SEP-1933 by the scenarios of the conformance suite, 2026-08-07',
} as const
const rs = { tested: 'RS' } as const
const p1 = { priority: 'P1' } as const
const later = { priority: 'P2' } as const

export const MCP = table(
  'MCP authorization 2026-07-28',
  { source: TEXT, feature: 'mcp' },
  {
    'MCP-ov-01': row('Overview 1', 'MUST', 'The server is one of OAuth 2.1', p1),
    'MCP-ov-02': row('Overview 5', 'MUST', 'Its metadata can be found'),
    'MCP-ov-03': row('Overview 2', 'SHOULD', 'A client may be named by its document', later),
    'MCP-ov-04': row('Overview 4', 'MUST', 'A resource names its authorization servers', rs),
    'MCP-disc-01': row(
      'Discovery',
      'MUST',
      'A challenge or a known place leads to its document',
      rs,
    ),
    'MCP-iss-01': row(
      'Authorization response',
      'SHOULD',
      'An answer through a browser names its issuer',
      p1,
    ),
    'MCP-res-01': row('Resource parameter', 'MUST', 'Every request names the resource', {
      tested: 'CL',
    }),
    'MCP-scope-01': row(
      'Scope selection',
      'SHOULD',
      'A challenge tells all scopes the call takes',
      { ...rs, ...p1 },
    ),
    'MCP-scope-02': row('Step-up', 'MUST', 'A wider scope stands for the narrower one', {
      ...rs,
      ...later,
    }),
    'MCP-tok-01': row('Token usage', 'MUST NOT', 'No token is in a query', rs),
    'MCP-tok-02': row(
      'Token handling',
      'MUST',
      'A token is for this server and for now, else 401',
      rs,
    ),
    'MCP-tok-03': row('Token handling', 'MUST NOT', 'A token that came is not passed on', rs),
    'MCP-ref-01': row('Refresh', 'SHOULD NOT', 'A resource does not ask for offline_access', {
      ...rs,
      ...later,
    }),
    'MCP-err-01': row('Errors', 'MUST', '401, 403 and 400 mean what they say', rs),
    'MCP-sec-01': row(
      'Token theft',
      'SHOULD',
      'Tokens are short, refresh tokens of public clients change',
      p1,
    ),
    'MCP-sec-02': row('Communication', 'MUST', 'Endpoints are https', p1),
    'MCP-sec-03': row('Code protection', 'MUST', 'Metadata says S256'),
    'MCP-sec-04': row('Redirection', 'MUST', 'Redirect addresses are compared exactly', p1),
    'MCP-cimd-01': row(
      'Client registration',
      'MUST',
      'A client’s document is its own and fetched with care',
      later,
    ),
    'MCP-cc-01': row(
      'Client credentials',
      'MUST',
      'Metadata says how clients without a user sign in',
      { ...p1, ...EXTENSIONS },
    ),
    'MCP-ema-01': row(
      'Enterprise-managed',
      'MUST',
      'Identity assertion grants are held to their rules',
      EXTENSIONS,
    ),
    'MCP-dpop-01': row('SEP-1932', 'MUST', 'Proofs within five minutes bind tokens', {
      ...p1,
      ...SEP,
      tested: 'AS/RS',
    }),
    'MCP-wif-01': row('SEP-1933', 'MUST', 'A workload’s JWT is a grant, held to RFC 7523', {
      ...p1,
      ...SEP,
    }),
  },
)
