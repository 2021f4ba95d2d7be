/**
 * Asks a Kubernetes cluster whether a service account's token still counts: pod and service account are there, and the token was
 * not revoked with them (authentication.k8s.io/v1 TokenReview). The token was verified here before; its cluster may still know more.
 */
import { FetchFault } from './fetch-fault.ts'
import {
  createWayOut,
  isJson,
  type Passage,
  parseJson,
  readBounded,
  type WayOutDeps,
} from './way-out.ts'

export interface ReviewQuestion {
  /** Origin of the cluster's API. */
  readonly url: string
  /** What we are to the cluster. */
  readonly bearer: string
  readonly token: string
  readonly audience: string
}

export interface Reviewed {
  readonly username: string
  readonly uid: string | undefined
  readonly audiences: readonly string[]
}

const API_VERSION = 'authentication.k8s.io/v1'
const KIND = 'TokenReview'
const LARGEST_ANSWER = 64 * 1024

/** The cluster's word; undefined where it does not know the token, or not for this audience. Throws FetchFault only. */
export async function reviewToken(
  deps: WayOutDeps,
  question: ReviewQuestion,
): Promise<Reviewed | undefined> {
  const answer = await createWayOut(deps)(question.url, async (passage) => ask(passage, question))
  const status = readStatus(answer)
  if (status === undefined) throw new FetchFault('document_refused')
  return readReviewed(status, question.audience)
}

async function ask(
  { agent, url, signal }: Passage,
  { bearer, token, audience }: ReviewQuestion,
): Promise<unknown> {
  const { statusCode, headers, body } = await agent.request({
    origin: url.origin,
    path: '/apis/authentication.k8s.io/v1/tokenreviews',
    method: 'POST',
    headers: {
      authorization: `Bearer ${bearer}`,
      'content-type': 'application/json',
      accept: 'application/json',
      'accept-encoding': 'identity',
    },
    body: JSON.stringify({
      apiVersion: API_VERSION,
      kind: KIND,
      spec: { token, audiences: [audience] },
    }),
    signal,
  })
  // A redirect is a status like any other: both tokens would leave the configured address.
  if (statusCode !== 200 && statusCode !== 201) throw new FetchFault('status_refused')
  if (!isJson(headers['content-type']) || headers['content-encoding'] !== undefined) {
    throw new FetchFault('not_json')
  }
  return parseJson(await readBounded(body, LARGEST_ANSWER))
}

type Members = Readonly<Record<string, unknown>>

/** `status` of an answer that is a TokenReview; undefined otherwise. */
function readStatus(answer: unknown): Members | undefined {
  const { apiVersion, kind, status } = membersOf(answer)
  if (apiVersion !== API_VERSION || kind !== KIND || !isRecord(status)) return undefined
  return status
}

function readReviewed(status: Members, audience: string): Reviewed | undefined {
  if (own(status, 'authenticated') !== true) return undefined
  const { username, uid } = membersOf(status['user'])
  const { audiences } = status
  if (typeof username !== 'string' || username === '') throw new FetchFault('document_refused')
  // The API's reference: where audiences were asked for and none are told, the cluster did not look at them.
  if (!isTexts(audiences) || !audiences.includes(audience)) return undefined
  return { username, uid: typeof uid === 'string' && uid !== '' ? uid : undefined, audiences }
}

function own(members: Members, name: string): unknown {
  return Object.hasOwn(members, name) ? members[name] : undefined
}

function membersOf(value: unknown): Members {
  return isRecord(value) ? value : {}
}

function isRecord(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
