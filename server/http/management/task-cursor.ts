/**
 * Where a page of tasks ended, as an opaque text. It is a place in an order and nothing else: with one of another tenant, or one
 * that was made up, a reader finds of their own tasks what comes after it, and of others' nothing (attack case F05).
 */
import type { TaskPosition } from '../../use-cases/ports.ts'

const POSITION = /^(0|[1-9][0-9]{0,11})\.([A-Za-z0-9_-]{22})?$/

export function writeCursor({ openedAt, txn }: TaskPosition): string {
  return Buffer.from(`${openedAt}.${txn}`).toString('base64url')
}

/** Undefined where no page of ours ended so; one text for one place. */
export function readCursor(cursor: string): TaskPosition | undefined {
  const text = Buffer.from(cursor, 'base64url').toString('latin1')
  const [, openedAt, txn = ''] = POSITION.exec(text) ?? []
  if (openedAt === undefined) return undefined
  const position = { openedAt: Number(openedAt), txn }
  return writeCursor(position) === cursor ? position : undefined
}
