/** The feed of the profile (docs/chain-format.md §5): signed, cumulative, and never silent for long. */
import { describe, expect } from 'vitest'
import { send } from './http.ts'
import { epoch, headerOf, type Members, payloadOf } from './jwt.ts'
import { first, handover, issuer, subject } from './scenario.ts'
import { listen, readList, referenceOf, verified } from './status.ts'
import { verifies } from './verifies.ts'

/** Claims of the first message for which `isIt`. */
async function heard(
  isIt: (claims: Members) => boolean,
  lastEventId?: string,
): Promise<{ readonly claims: Members; readonly id: string; readonly jwt: string }> {
  for await (const { id, event, data } of listen(lastEventId)) {
    expect(event).toBe('status')
    const claims = payloadOf(await verified(data))
    if (isIt(claims)) return { claims, id, jwt: data }
  }
  throw new Error('the feed ended')
}

describe('the feed', () => {
  verifies('PROF-28', 'tells the present at once, signed', async () => {
    const token = await handover()
    await first.revoke(token)
    const { claims, id, jwt } = await heard(() => true)
    expect(headerOf(jwt)['typ']).toBe('statusfeed+jwt')
    expect(claims).toMatchObject({ iss: issuer, since: 0 })
    expect(String(claims['seq'])).toBe(id)
    expect(Math.abs(claims['iat'] - epoch())).toBeLessThanOrEqual(2)
    const { uri } = referenceOf(token)
    expect(claims['lists'][uri]).toBeLessThanOrEqual(claims['seq'])
    const { json } = await send(`${issuer}/jwks`)
    const kids = json['keys'].map((key: Members) => key['kid'])
    expect(claims['kids'].toSorted()).toEqual(kids.toSorted())
    // The list is as new as what was told of it.
    expect((await readList(uri)).claims['seq']).toBeGreaterThanOrEqual(claims['lists'][uri])
  })

  verifies('PROF-28', 'tells of a change when it happens', async () => {
    const token = await handover()
    const { uri } = referenceOf(token)
    const before = (await heard(() => true)).claims['seq']
    const hearing = heard(({ seq, lists }) => seq > before && uri in lists)
    await first.revoke(token)
    const { claims } = await hearing
    expect(claims['since']).toBeLessThanOrEqual(claims['seq'])
    const list = await readList(uri)
    expect(list.claims['seq']).toBeGreaterThanOrEqual(claims['lists'][uri])
    expect(list.at(referenceOf(token).idx)).toBe(1)
  })

  verifies(
    'PROF-28',
    'goes on from where a listener was, and tells that nothing happened',
    async () => {
      await subject()
      const { id } = await heard(() => true)
      const next = await heard(() => true, id)
      expect(next.claims['since']).toBe(Number(id))
      const quiet = await heard(({ since, seq }) => since === seq, id)
      expect(quiet.claims['lists']).toEqual({})
    },
  )

  verifies('PROF-28', 'believes no number it has not reached', async () => {
    for (const id of ['9007199254740991', '-1', 'x', '1e3', '01']) {
      expect((await heard(() => true, id)).claims['since']).toBe(0)
    }
  })
})
