/**
 * Agents that speak A2A by its SDK, on both sides: a door that the verifier keeps, work that is done by handing on what came in through
 * it, and a client whose tokens come by exchange once the other agent's door asks for one.
 */
import { hash, randomUUID } from 'node:crypto'
import { AgentCard, Message, SendMessageRequest } from '@a2a-js/sdk'
import {
  type AuthenticationHandler,
  ClientFactory,
  createAuthenticatingFetchWithRetry,
  JsonRpcTransportFactory,
} from '@a2a-js/sdk/client'
import {
  AgentEvent,
  type AgentExecutor,
  DefaultRequestHandler,
  InMemoryTaskStore,
} from '@a2a-js/sdk/server'
import { agentCardHandler, jsonRpcHandler } from '@a2a-js/sdk/server/express'
import { createVerifier } from '@actchain/verifier'
import { protect } from '@actchain/verifier/express'
import { statusLists } from '@actchain/verifier/status'
import express from 'express'
import { exportJWK, SignJWT } from 'jose'
import { ResponseBodyError } from 'oauth4webapi'
import { target } from '../given.ts'
import { serve } from '../serve.ts'
import type { Agent } from '../target.ts'
import type { BoundClient } from './oauth4webapi.ts'

/** What an agent does with a message and the token it came with; resolves with what it answers. */
export type Work = (text: string, token: string) => Promise<string>

/** Resolves when the agent listens, with what ends it. */
export async function openDoor(agent: Agent, work: Work): Promise<() => Promise<void>> {
  const { client_id: name, endpoint, port } = agent
  const verifier = createVerifier({
    issuer: target.issuer,
    audience: endpoint,
    revocation: statusLists(),
  })
  const card = AgentCard.fromJSON({
    name,
    description: 'hands work on',
    version: '1',
    supportedInterfaces: [{ url: endpoint, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
    capabilities: {},
    defaultInputModes: ['text/plain'],
    defaultOutputModes: ['text/plain'],
  })
  const handler = new DefaultRequestHandler(card, new InMemoryTaskStore(), executorOf(work))
  const app = express()
  app.use('/.well-known/agent-card.json', agentCardHandler({ agentCardProvider: handler }))
  app.use('/a2a', protect(verifier, { handover: true }))
  const userBuilder = async ({ res }: express.Request) => ({
    isAuthenticated: true,
    userName: String(res?.locals['verification'].subject),
  })
  app.use('/a2a', jsonRpcHandler({ requestHandler: handler, userBuilder }))
  const stop = await serve(target, port, app)
  return async () => {
    verifier.close()
    await stop()
  }
}

function executorOf(work: Work): AgentExecutor {
  return {
    execute: async ({ context, contextId, userMessage }, bus) => {
      const headers = context.state.get('headers') as { readonly authorization: string }
      const [, token = ''] = headers.authorization.split(' ')
      const text = await work(textOf(userMessage), token).catch(refusalOf)
      bus.publish(AgentEvent.message(Message.fromJSON(messageJson('ROLE_AGENT', text, contextId))))
      bus.finished()
    },
    cancelTask: async () => {},
  }
}

/** What the authorization server said, for whoever asked for the work. */
function refusalOf(fault: unknown): string {
  if (!(fault instanceof ResponseBodyError)) throw fault
  const { error, cause } = fault
  return JSON.stringify({ error, reason: cause['reason'] })
}

/**
 * Sends a message to another agent by the SDK's client, which finds its card, and answers its first refusal with a token from
 * `exchange`; resolves with the text of the answer.
 */
export async function send(
  text: string,
  to: Agent,
  { proofKey }: Pick<BoundClient, 'proofKey'>,
  exchange: () => Promise<string>,
): Promise<string> {
  const fetchImpl = createAuthenticatingFetchWithRetry(fetch, shownAt(to, proofKey, exchange))
  const factory = new ClientFactory({ transports: [new JsonRpcTransportFactory({ fetchImpl })] })
  const client = await factory.createFromUrl(new URL(to.endpoint).origin)
  const message = messageJson('ROLE_USER', text)
  const answer = await client.sendMessage(SendMessageRequest.fromJSON({ message }))
  return 'parts' in answer ? textOf(answer) : ''
}

/** Every request of the JSON-RPC transport is a POST to the one endpoint: that is what a proof is for. */
function shownAt(
  { endpoint }: Agent,
  proofKey: CryptoKeyPair,
  exchange: () => Promise<string>,
): AuthenticationHandler {
  return {
    headers: async () => ({}),
    shouldRetryWithHeaders: async (_request, { status, headers }) => {
      if (status !== 401 || !headers.get('www-authenticate')?.includes('DPoP')) return undefined
      const token = await exchange()
      const jwk = await exportJWK(proofKey.publicKey)
      // RFC 9449 §4.2: the proof names the token.
      const ath = hash('sha256', token, 'base64url')
      const proof = await new SignJWT({ htm: 'POST', htu: endpoint, ath })
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
        .setIssuedAt()
        .setJti(randomUUID())
        .sign(proofKey.privateKey)
      return { authorization: `DPoP ${token}`, dpop: proof }
    },
  }
}

function messageJson(role: 'ROLE_USER' | 'ROLE_AGENT', text: string, contextId = '') {
  return { messageId: randomUUID(), contextId, role, parts: [{ text }] }
}

function textOf({ parts }: Message): string {
  return parts.map(({ content }) => (content?.$case === 'text' ? content.value : '')).join('')
}
