/** Administration of the node in memory. */

import type { AdminAct } from '../src/admin-access-answers.ts'
import type { AuditHandlers, NotedAct } from '../src/admin-access-handlers.ts'
import type { AdminHandlers } from '../src/admin-handlers.ts'
import { memoryData } from './memory-data.ts'
import { memoryPeers } from './memory-peers.ts'
import { memorySeeing } from './memory-seeing.ts'
import { digestOf, timeOf } from './memory-vault.ts'

const TOKEN = {
  id: '0123456789ab',
  name: 'lab',
  role: 'submitter' as const,
  status: 'valid' as const,
  createdAt: timeOf(0),
  expiresAt: timeOf(90),
  revokedAt: null,
  usedAt: null,
}

export const memoryAdmin: AdminHandlers = {
  access: {
    tokens: () => [TOKEN],
    createToken: ({ name, role }) =>
      Promise.resolve({ ...TOKEN, name, role, token: `mor_${TOKEN.id}_${'s'.repeat(43)}` }),
    revokeToken: (id) =>
      Promise.resolve({ ...TOKEN, id, status: 'revoked' as const, revokedAt: timeOf(1) }),
    reload: () =>
      Promise.resolve([
        { part: 'tokens', outcome: 'changed' as const, code: null, detail: '2 instead of 1' },
      ]),
  },
  seeing: memorySeeing,
  data: memoryData(),
  peers: memoryPeers(),
}

export class MemoryAudit implements AuditHandlers {
  readonly noted: NotedAct[] = []

  note(act: NotedAct): Promise<void> {
    this.noted.push(act)
    return Promise.resolve()
  }

  acts({ before, limit }: { before: number | null; limit: number }) {
    const end = before ?? this.noted.length
    const from = Math.max(0, end - limit)
    const items = this.noted
      .slice(from, end)
      .map(({ caller, act, parameters, status }): AdminAct => {
        const place = { status: 'waiting' as const, batch: null, height: null }
        const id = digestOf(`${act} ${parameters}`)
        const digests = { id, parameters: digestOf(parameters) }
        return { ...digests, time: timeOf(1), caller, act, answer: status, ...place }
      })
    return Promise.resolve({ items: items.toReversed(), next: from === 0 ? null : from })
  }
}
