// What an operator may change while the node runs: read again on SIGHUP and on request, part by part. A
// configuration that has a mistake changes nothing at all; a part that cannot be read goes on as it was.

import type { Reloaded } from '@mooring/api'
import { failureOf } from './error-text.ts'
import { InTurn } from './in-turn.ts'
import type { NodeOptions } from './load-options.ts'
import type { Logger } from './logger.ts'
import type { PartOptions } from './part-options.ts'

export interface Reloadable {
  part: string
  /** What has changed, in words; null when nothing has. Throws what is wrong. */
  reload(options: PartOptions): Promise<string | null> | string | null
}

export class Reloading {
  readonly #read: NodeOptions['reread']
  readonly #logger: Pick<Logger, 'info' | 'warn'>
  readonly #parts: Reloadable[] = []
  readonly #turns = new InTurn()

  constructor(read: NodeOptions['reread'], logger: Pick<Logger, 'info' | 'warn'>) {
    this.#read = read
    this.#logger = logger
  }

  add(part: Reloadable): void {
    this.#parts.push(part)
  }

  run(): Promise<Reloaded[]> {
    return this.#turns.run(async () => {
      const items = await this.#all()
      for (const { part, outcome, code, detail } of items) {
        if (outcome === 'refused') this.#logger.warn('not read again', { part, code, detail })
        if (outcome === 'changed') this.#logger.info('read again', { part, detail })
      }
      return items
    })
  }

  async #all(): Promise<Reloaded[]> {
    let options: PartOptions
    try {
      options = await this.#read()
    } catch (error) {
      return [refused('configuration', error)]
    }
    const items: Reloaded[] = []
    for (const each of this.#parts) items.push(await reloaded(each, options))
    return items
  }
}

async function reloaded(each: Reloadable, options: PartOptions): Promise<Reloaded> {
  const { part } = each
  try {
    const detail = await each.reload(options)
    return { part, outcome: detail === null ? 'same' : 'changed', code: null, detail }
  } catch (error) {
    return refused(part, error)
  }
}

function refused(part: string, error: unknown): Reloaded {
  const { code, what, where, rows } = failureOf(error)
  const detail = [where === '' ? what : where, ...rows].join('\n')
  return { part, outcome: 'refused', code, detail }
}
