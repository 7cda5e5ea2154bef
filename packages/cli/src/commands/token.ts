// Tokens for programs that ask a node from elsewhere. A node that runs makes them itself, over its admin
// socket; in a stopped home the command does.

import type { CreatedToken, Token } from '@mooring/api'
import { CALLER_ROLES, type CallerRole } from '@mooring/api/caller'
import { tokenAnswer } from '@mooring/node/admin-access'
import type { changeTokens } from '@mooring/node'
import { NodeError } from '@mooring/node/node-error'
import { type Command, Option } from 'commander'
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { durationArgument, remote, withHelp } from '../command-help.ts'
import type { Context } from '../context.ts'
import type { RemoteOptions } from '../endpoint.ts'
import { inHomeOrNode } from '../home-or-node.ts'
import { type Column, createOutput, formatTable } from '../output.ts'

type CreateOptions = RemoteOptions & {
  name: string
  role: CallerRole
  ttl: number
  output?: string
}

const DAY_MS = 86_400_000

const COLUMNS: Column<Token>[] = [
  { title: 'id', value: ({ id }) => id },
  { title: 'name', value: ({ name }) => name },
  { title: 'role', value: ({ role }) => role },
  { title: 'status', value: ({ status }) => status },
  { title: 'expires', value: ({ expiresAt }) => expiresAt },
  { title: 'last used', value: ({ usedAt }) => usedAt ?? '–' },
]

function addCreate(group: Command, context: Context): void {
  const command = remote(group.command('create'))
    .description('a new token; it is shown this once')
    .requiredOption('--name <name>', 'whose it is: lab-gateway')
    .addOption(
      new Option('--role <role>', 'what it permits').choices(CALLER_ROLES).makeOptionMandatory(),
    )
    .addOption(
      new Option('--ttl <duration>', 'how long it is good')
        .argParser(durationArgument)
        .default(90 * DAY_MS, '90d'),
    )
    .option(
      '-o, --output <file>',
      'where to write it, readable by you alone, instead of showing it',
    )
  withHelp(command, {
    examples: [
      'mooring token create --name lab-gateway --role submitter',
      'mooring token create --name auditor --role auditor --ttl 7d --output auditor.token',
    ],
    exits: [3, 4, 5, 7],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<CreateOptions>()
    const output = createOutput(context, options)
    const { name, role, ttl: lifetimeMs } = options
    const wish = { name, role, lifetimeMs }
    const created = await inHomeOrNode<CreatedToken>(context, options, {
      node: ({ admin }) => admin.access.createToken(wish),
      home: (home) =>
        changeOffline(home, async (tokens, now) => {
          const { token, kept } = await tokens.create(wish)
          return { ...tokenAnswer({ ...kept, usedAt: null }, now), token }
        }),
    })
    const { token, ...rest } = created
    if (options.output !== undefined) await keep(resolve(context.cwd, options.output), token)
    const isShown = options.output === undefined
    if (output.isJson) {
      output.json({ schema: 'mooring/token-created/v1', ...rest, token: isShown ? token : null })
      return
    }
    if (isShown) output.text(token)
    output.note(`${rest.id}, ${role}, until ${rest.expiresAt}; hand it to "${name}" alone`)
  })
}

async function keep(path: string, token: string): Promise<void> {
  try {
    await writeFile(path, `${token}\n`, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    throw new NodeError('file_exists', { path }, { cause: error })
  }
}

function addList(group: Command, context: Context): void {
  const command = remote(group.command('list')).description('the tokens of the node')
  withHelp(command, {
    examples: ['mooring token list', 'mooring token list --json'],
    exits: [3, 4, 5],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<RemoteOptions>()
    const output = createOutput(context, options)
    const items = await inHomeOrNode<Token[]>(context, options, {
      node: async ({ admin }) => (await admin.access.tokens()).items,
      home: (home) =>
        changeOffline(home, (tokens, now) =>
          Promise.resolve(tokens.list.map((token) => tokenAnswer(token, now))),
        ),
    })
    if (output.isJson) output.json({ schema: 'mooring/tokens/v1', items })
    else output.text(items.length === 0 ? 'no tokens' : formatTable(items, COLUMNS))
  })
}

function addRevoke(group: Command, context: Context): void {
  const command = remote(group.command('revoke'))
    .description('take a token back, from now on')
    .argument('<id>', 'as the list has it')
  withHelp(command, {
    examples: ['mooring token revoke 3f9c01aa27de', 'mooring token revoke 3f9c01aa27de --json'],
    exits: [3, 4, 5, 6],
  })
  command.action(async (id: string) => {
    const options = command.optsWithGlobals<RemoteOptions>()
    const output = createOutput(context, options)
    if (!/^[0-9a-f]{12}$/.test(id)) throw new NodeError('token_missing', { id })
    const revoked = await inHomeOrNode<Token>(context, options, {
      node: ({ admin }) => admin.access.revokeToken(id),
      home: (home) =>
        changeOffline(home, async (tokens, now) =>
          tokenAnswer({ ...(await tokens.revoke(id)), usedAt: null }, now),
        ),
    })
    if (output.isJson) output.json({ schema: 'mooring/token/v1', ...revoked })
    else output.text(`${id}, of "${revoked.name}", is revoked`)
  })
}

// Needs the databases of the home, which the tokens of a running node do not.
const changeOffline: typeof changeTokens = async (home, work) => {
  const offline = await import('@mooring/node/offline-tokens')
  return offline.changeTokens(home, work)
}

export function addToken(program: Command, context: Context): void {
  const group = program
    .command('token')
    .description('tokens for programs that ask the node from elsewhere')
  addCreate(group, context)
  addList(group, context)
  addRevoke(group, context)
  withHelp(group, {
    examples: ['mooring token create --name lab-gateway --role submitter', 'mooring token list'],
    exits: [3, 4, 5, 6, 7],
  })
}
