/** Receives everything and says nothing: a crashed node whose connections stay open. */
import type { Actor } from '../actor.ts'

export const silent: Actor = {
  send: () => undefined,
}
