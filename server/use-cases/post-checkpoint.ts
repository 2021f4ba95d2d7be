/** An anchor that takes checkpoints by HTTP and says nothing of them: the signed note is the body of a POST. */
import { answerOf, type CheckpointAnchor, type PostText } from './checkpoint-anchor.ts'

export interface HttpAnchorDeps {
  readonly url: string
  readonly post: PostText
  /** What we are to it, read anew each time; undefined: it asks for nothing. Rejects where it cannot be read. */
  readonly authorization: () => Promise<string | undefined>
}

export function createHttpAnchor({ url, post, authorization }: HttpAnchorDeps): CheckpointAnchor {
  return {
    name: `http ${new URL(url).host}`,
    offer: async ({ note }) => {
      const credential = await authorization().catch(() => 'unreadable' as const)
      if (credential === 'unreadable') return { kind: 'failed', why: 'token_unreadable' }
      const answer = await post(url, note, credential)
      if (answer.kind === 'failed') return answer
      const isKept = answer.status >= 200 && answer.status < 300
      return isKept ? { kind: 'kept' } : answerOf(answer.status)
    },
  }
}
