// A context chosen with --context or MOORING_CONTEXT gives what the command line does not say.

import { homedir } from 'node:os'
import { join } from 'node:path'
import { readContext, type ContextField } from '@mooring/node/contexts'
import type { Command } from 'commander'
import type { Context, GlobalOptions } from './context.ts'

const OPTION_OF: Readonly<Record<ContextField, string>> = {
  endpoint: 'endpoint',
  token_file: 'tokenFile',
  cacert: 'cacert',
  cert: 'cert',
  key: 'certKey',
  home: 'home',
}

function contextsFile({ env }: Context): string {
  const folder = env['XDG_CONFIG_HOME'] ?? join(env['HOME'] ?? homedir(), '.config')
  return join(folder, 'mooring', 'contexts.toml')
}

// A variable that names a node is nearer than one that names a context.
function chosen({ env }: Context, { context }: GlobalOptions): string | undefined {
  if (context !== undefined) return context
  const isNamed = (env['MOORING_ENDPOINT'] ?? '') !== ''
  const name = env['MOORING_CONTEXT'] ?? ''
  return isNamed || name === '' ? undefined : name
}

export async function applyContext(program: Command, context: Context): Promise<void> {
  const name = chosen(context, program.opts<GlobalOptions>())
  if (name === undefined) return
  for (const [field, value] of Object.entries(await readContext(contextsFile(context), name))) {
    const option = Object.entries(OPTION_OF).find(([key]) => key === field)?.[1]
    if (option === undefined || program.getOptionValue(option) !== undefined) continue
    program.setOptionValueWithSource(option, value, 'config')
  }
}
