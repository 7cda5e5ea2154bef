// The client's process: it is told whom to reach and what to do, one thing after the other, and answers with
// what came of it. It signs beforehand, so that no clock runs while it does.

import { CLIENTS } from '../peers/clients.ts'
import type { Contact, EngineClient } from '../peers/engine.ts'
import { OpenLoop, type Outcome, type Plan } from './open-loop.ts'

export type Order = { contact: Contact } | { plan: Plan }
export type Reply = { outcome: Outcome } | { ready: true } | { problem: string }

let client: EngineClient | null = null
let loop: OpenLoop | null = null
const observed = new Set<number>()

process.on('message', (order: Order) => {
  obey(order).then(
    (reply) => process.send?.(reply),
    (error: unknown) => process.send?.({ problem: String(error) } satisfies Reply),
  )
})
process.once('disconnect', () => process.exit(0))

async function obey(order: Order): Promise<Reply> {
  if ('contact' in order) {
    const clientOf = CLIENTS[order.contact.engine]
    if (clientOf === undefined) throw new RangeError(`no client for ${order.contact.engine}`)
    client = await clientOf(order.contact)
    loop = new OpenLoop(client)
    return { ready: true }
  }
  if (client === null || loop === null) throw new TypeError('nobody to send to')
  const { plan } = order
  const observers = plan.observers === 'each' ? plan.nodes : plan.nodes.slice(0, 1)
  for (const node of observers) {
    if (observed.has(node)) continue
    observed.add(node)
    await client.observe(node, loop.onFinal)
  }
  return { outcome: await loop.run(plan) }
}
