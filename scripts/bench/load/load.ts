// The parent's side of the client's process.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Contact } from '../peers/engine.ts'
import type { Order, Reply } from './client.ts'
import type { Outcome, Plan } from './open-loop.ts'

const CLIENT = fileURLToPath(new URL('./client.ts', import.meta.url))

export class Load {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  static async start(contact: Contact): Promise<Load> {
    const child = fork(CLIENT, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    const load = new Load(child)
    await load.#tell({ contact })
    return load
  }

  async run(plan: Plan): Promise<Outcome> {
    const reply = await this.#tell({ plan })
    if (!('outcome' in reply)) throw new TypeError('the client answered something else')
    return reply.outcome
  }

  async close(): Promise<void> {
    const gone = once(this.#child, 'exit')
    this.#child.disconnect()
    await gone
  }

  async #tell(order: Order): Promise<Reply> {
    const gone = new AbortController()
    const replied = once(this.#child, 'message', { signal: gone.signal })
    const onExit = () => gone.abort(new Error('the client ended'))
    this.#child.once('exit', onExit)
    this.#child.send(order)
    try {
      const [reply]: Reply[] = await replied
      if (reply === undefined || 'problem' in reply) throw new Error(reply?.problem ?? 'no reply')
      return reply
    } finally {
      this.#child.off('exit', onExit)
    }
  }
}
