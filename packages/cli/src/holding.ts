// What no restart cures stays readable, where whoever started the node would only start it again: the process
// lives, its probes say why it is not ready, and its admin socket tells the error to whoever asks.

import { startHeldServer } from '@mooring/api/held-server'
import { failureOf, formatFailure, type Failure } from '@mooring/node/error-text'
import type { NodeOptions } from '@mooring/node'
import type { Context } from './context.ts'

const HELD_CODES = [11, 12, 13, 14]

export function isHeld({ entry }: Failure): boolean {
  return HELD_CODES.includes(entry.exitCode)
}

/** Resolves at once for what is not held, else when somebody ends it. */
export async function hold(
  context: Context,
  error: unknown,
  { options, ending }: { options: NodeOptions; ending: Promise<unknown> },
): Promise<void> {
  const failure = failureOf(error)
  if (!isHeld(failure)) return
  context.stderr.write(formatFailure(failure))
  const { code, entry, what, where } = failure
  const server = await startHeldServer(
    { adminSocket: options.admin.socket, metricsListen: options.metrics.listen },
    {
      code,
      mor: entry.mor,
      title: what,
      detail: where === '' ? entry.meaning : where,
      since: context.now().toISOString(),
    },
  )
  context.stderr.write('holding until SIGTERM or Ctrl-C ([shutdown] on_fatal = "hold")\n')
  await ending
  await server.close()
}
