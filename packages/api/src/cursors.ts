/**
 * Places in a list, as text that only this node can have written.
 *
 * A cursor is the exclusive position (a height, or a place among records or names) and the name of the list it
 * belongs to, under an HMAC: a client cannot aim it elsewhere, and a changed filter is noticed instead
 * of answered with a mixture. It is no offset, so that new items never shift a page.
 */

import { createHmac, timingSafeEqual } from 'node:crypto'
import { ApiError } from './errors.ts'

const POSITION_BYTES = 8
const TAG_BYTES = 16

export interface Cursors {
  format(list: string, position: number): string
  /** Throws `invalid_cursor`. */
  parse(list: string, cursor: string): number
  /** The same for places that are no numbers. */
  formatText(list: string, position: string): string
  parseText(list: string, cursor: string): string
}

export function createCursors(key: Uint8Array): Cursors {
  const tagOf = (list: string, position: Uint8Array) =>
    createHmac('sha256', key)
      .update(`mooring/cursor/v1\0${list}\0`)
      .update(position)
      .digest()
      .subarray(0, TAG_BYTES)
  const sealed = (list: string, position: Buffer) =>
    Buffer.concat([position, tagOf(list, position)]).toString('base64url')
  const opened = (list: string, cursor: string): Buffer => {
    const bytes = Buffer.from(cursor, 'base64url')
    const position = bytes.subarray(0, -TAG_BYTES)
    const tag = bytes.subarray(-TAG_BYTES)
    if (tag.length === TAG_BYTES && timingSafeEqual(tag, tagOf(list, position))) return position
    throw foreignCursor()
  }
  return {
    format(list, position) {
      const bytes = Buffer.alloc(POSITION_BYTES)
      bytes.writeBigUInt64BE(BigInt(position))
      return sealed(list, bytes)
    },
    parse(list, cursor) {
      const position = opened(list, cursor)
      if (position.length !== POSITION_BYTES) throw foreignCursor()
      return Number(position.readBigUInt64BE())
    },
    formatText: (list, position) => sealed(`text/${list}`, Buffer.from(position)),
    parseText: (list, cursor) => opened(`text/${list}`, cursor).toString(),
  }
}

function foreignCursor(): ApiError {
  return new ApiError(
    'invalid_cursor',
    'This cursor was not made by this node for this list and filter. Start without one.',
  )
}
