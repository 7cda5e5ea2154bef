// Where two genesis files, or two files of terms, differ: place by place, as people compare them.

import { NodeError } from '@mooring/node/node-error'
import type { Command } from 'commander'
import { withHelp } from '../command-help.ts'
import type { Context, GlobalOptions } from '../context.ts'
import { createOutput, formatTable } from '../output.ts'
import type { Result } from '../program.ts'
import { readInput } from '../read-input.ts'

const FILE_BYTES_MAX = 2 * 1024 * 1024

export type Difference = { path: string; first: string | null; second: string | null }

export function addDiff(parent: Command, context: Context, result: Result): void {
  const command = parent
    .command('diff')
    .description('where two genesis files, or two files of terms, differ')
    .argument('<first>', 'a file')
    .argument('<second>', 'the other one')
  withHelp(command, {
    examples: [
      'mooring genesis diff genesis.json theirs.json',
      'mooring genesis diff terms.json theirs.json --json',
    ],
    exits: [3, 6, 8],
  })
  command.action(async (first: string, second: string) => {
    const output = createOutput(context, command.optsWithGlobals<GlobalOptions>())
    const [ours, theirs] = [await placesIn(context, first), await placesIn(context, second)]
    const items = differences(ours, theirs)
    if (output.isJson) output.json({ schema: 'mooring/genesis-diff/v1', first, second, items })
    else if (items.length === 0) output.text('they are the same')
    else
      output.text(
        formatTable(items, [
          { title: 'place', value: ({ path }: Difference) => path },
          { title: first, value: (each: Difference) => each.first ?? '-' },
          { title: second, value: (each: Difference) => each.second ?? '-' },
        ]),
      )
    if (items.length > 0) result.exitCode = 8
  })
}

async function placesIn(context: Context, path: string): Promise<Map<string, string>> {
  const text = new TextDecoder().decode(await readInput(context, path, FILE_BYTES_MAX))
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const data = { path, what: 'a genesis or the terms of one' }
    throw new NodeError('founding_file_invalid', data, { cause: error })
  }
  const places = new Map<string, string>()
  flatten(value, '', places)
  return places
}

/** Organisations are named by their ids: one more of them must not shift all others. */
function flatten(value: unknown, path: string, places: Map<string, string>): void {
  if (typeof value !== 'object' || value === null) {
    places.set(path, JSON.stringify(value))
    return
  }
  for (const [key, item] of Object.entries(value)) {
    const name = Array.isArray(value) ? `[${idOf(item) ?? key}]` : `${path === '' ? '' : '.'}${key}`
    flatten(item, `${path}${name}`, places)
  }
}

function idOf(item: unknown): string | undefined {
  if (typeof item !== 'object' || item === null || !('organisation' in item)) return undefined
  const { organisation } = item
  const isNamed = typeof organisation === 'object' && organisation !== null && 'id' in organisation
  return isNamed && typeof organisation.id === 'string' ? organisation.id : undefined
}

function differences(first: Map<string, string>, second: Map<string, string>): Difference[] {
  const paths = [...new Set([...first.keys(), ...second.keys()])].toSorted()
  return paths
    .map((path) => ({ path, first: first.get(path) ?? null, second: second.get(path) ?? null }))
    .filter((each) => each.first !== each.second)
}
