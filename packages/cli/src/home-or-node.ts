// Who does what a command asks for: the command itself, in a home whose node is stopped, or the node that
// runs. Whoever names an endpoint means that node.

import { homePaths } from '@mooring/node/home'
import { loadHomeOptions, readConfigFile, type HomeOptions } from '@mooring/node/load-options'
import { NodeError } from '@mooring/node/node-error'
import { isHomeInUse } from '@mooring/node/home-in-use'
import type { Client } from '@mooring/api/client'
import { type Context, configOf, type GlobalOptions, homeOf } from './context.ts'
import { type RemoteOptions, withNode } from './endpoint.ts'

export interface Doers<T> {
  home: (options: HomeOptions) => Promise<T>
  node: (client: Client) => Promise<T>
}

export async function inHomeOrNode<T>(
  context: Context,
  options: RemoteOptions,
  { home, node }: Doers<T>,
): Promise<T> {
  const own = namesEndpoint(context, options) ? null : await ownHome(context, options)
  if (own === null) return withNode(context, options, node)
  try {
    return await home(own)
  } catch (error) {
    if (!isHomeInUse(error)) throw error
    return withNode(context, options, node)
  }
}

export function namesEndpoint(context: Context, options: RemoteOptions): boolean {
  const variable = context.env['MOORING_ENDPOINT'] ?? ''
  return options.endpoint !== undefined || variable !== ''
}

/** Null where nobody has made a home. */
export async function ownHome(
  context: Context,
  options: RemoteOptions,
): Promise<HomeOptions | null> {
  const home = homeOf(context, options)
  const config = configOf(context, options)
  if ((await readConfigFile(config ?? homePaths(home).configFile)) === null) return null
  const { env, askSecret } = context
  return loadHomeOptions({ home, configPath: config, flags: {}, env, askSecret })
}

/** A stopped home, for what no node does by itself. */
export async function stoppedHome(context: Context, options: GlobalOptions): Promise<HomeOptions> {
  const own = await ownHome(context, { ...options, timeout: 0 })
  if (own === null) throw new NodeError('home_missing', { home: homeOf(context, options) })
  return own
}
