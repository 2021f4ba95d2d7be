/**
 * Which of a group's entries have a term, as it is stored: their places in the group, two octets each, or a bit for each entry
 * where that is shorter.
 */
import { GROUP } from './index-keys.ts'

const BITMAP_BYTES = GROUP / 8
const PLACE_BYTES = 2

/** @param added places beyond those before, in their order */
export function withPlaces(before: Buffer | undefined, added: readonly number[]): Buffer {
  const kept = before?.length ?? 0
  const size = kept + added.length * PLACE_BYTES
  if (kept !== BITMAP_BYTES && size < BITMAP_BYTES) return withList(before, added, size)
  const bitmap = Buffer.alloc(BITMAP_BYTES)
  if (kept === BITMAP_BYTES) before?.copy(bitmap)
  else for (const place of placesOf(before)) setBit(bitmap, place)
  for (const place of added) setBit(bitmap, place)
  return bitmap
}

function withList(before: Buffer | undefined, added: readonly number[], size: number): Buffer {
  const list = Buffer.allocUnsafe(size)
  let at = before?.copy(list) ?? 0
  for (const place of added) at = list.writeUInt16BE(place, at)
  return list
}

/** In their order. */
export function placesOf(postings: Buffer | undefined): readonly number[] {
  if (postings === undefined) return []
  const places: number[] = []
  if (postings.length === BITMAP_BYTES) {
    for (let place = 0; place < GROUP; place += 1) if (hasBit(postings, place)) places.push(place)
  } else {
    for (let at = 0; at < postings.length; at += PLACE_BYTES) places.push(postings.readUInt16BE(at))
  }
  return places
}

function setBit(bitmap: Buffer, place: number): void {
  const at = place >> 3
  bitmap[at] = (bitmap[at] ?? 0) | (1 << (place & 7))
}

function hasBit(bitmap: Buffer, place: number): boolean {
  return ((bitmap[place >> 3] ?? 0) & (1 << (place & 7))) !== 0
}
