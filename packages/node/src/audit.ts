// What was done to this node, kept in its access log and so anchored on the chain, and said in the log.

import type { AdminAct, AuditHandlers } from '@mooring/api'
import { toHex } from '@mooring/codec'
import type { AccessLog, KeptAccess } from './access-log.ts'
import type { Logger } from './logger.ts'

/** A page looks no further than this for acts; the next page goes on from there. */
const LOOKED_AT_MAX = 5_000

export function createAudit(
  log: Pick<AccessLog, 'list' | 'noteAct'>,
  logger: Pick<Logger, 'info'>,
): AuditHandlers {
  return {
    note: async ({ caller, act, parameters, status }) => {
      await log.noteAct({ caller: caller.slice(0, CALLER_CHARACTERS_MAX), act, status }, parameters)
      logger.info('act of administration', { caller, act, status })
    },
    acts: async ({ before, limit }) => {
      const items: AdminAct[] = []
      let looked = 0
      for await (const kept of log.list(before)) {
        looked += 1
        const answer = answerOf(kept)
        if (answer !== null) items.push(answer)
        if (items.length < limit && looked < LOOKED_AT_MAX) continue
        return { items, next: kept.arrival > 1 ? kept.arrival : null }
      }
      return { items, next: null }
    },
  }
}

const CALLER_CHARACTERS_MAX = 80

function answerOf({ act, leaf, status, batch, height }: KeptAccess): AdminAct | null {
  if (act === null) return null
  return {
    id: toHex(leaf),
    time: new Date(act.time).toISOString(),
    caller: act.caller,
    act: act.act,
    parameters: toHex(act.parameters),
    answer: act.status,
    status,
    batch: batch?.sequence ?? null,
    height,
  }
}
