// What the commands need of a running node.

import type { BundleQuery } from '@mooring/api'
import type { NodeOptions } from '@mooring/node'

export type RunningNode = {
  // Last final height at the moment.
  height(): number
  // Base address of the API, for example http://127.0.0.1:7421.
  api: string
  // Whether it votes: the chain decides, not the configuration.
  role(): 'authority' | 'observer'
  // Reads again what may change while it runs.
  reload(): Promise<unknown>
  // Resolves with the reason when the node stopped by itself; never when it was closed. A NodeRestart
  // is no failure: the node wants to be started again.
  failed: Promise<unknown>
  // The last lines of its log, as JSON, oldest first.
  recentLog(): string[]
  // What somebody who helps from afar needs to see, as an archive in pieces.
  bundle(query: BundleQuery): AsyncIterable<Uint8Array>
  // The orderly stop; resolves when nothing is left.
  close(): Promise<void>
}

export type StartHow = {
  // Put the guard aside, and observe before the first vote.
  rejoin?: boolean
  // Be known by the next transport key, which the chain here does not name yet.
  transport?: 'next'
}

export type StartNode = (options: NodeOptions, how?: StartHow) => Promise<RunningNode>
