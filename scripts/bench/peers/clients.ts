// The halves that run in the client's process, by the name of the engine.

import { cometbftClient } from './cometbft-client.ts'
import type { ClientOf } from './engine.ts'
import { mooringClient } from './mooring-client.ts'

export const CLIENTS: Readonly<Record<string, ClientOf>> = {
  mooring: mooringClient,
  cometbft: cometbftClient,
}
