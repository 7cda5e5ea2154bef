import { formatExplanation } from '@mooring/node/error-text'
import { allErrors, explain, type Explanation } from '@mooring/node/errors'
import { NodeError } from '@mooring/node/node-error'
import type { Command } from 'commander'
import { withHelp } from '../command-help.ts'
import type { Context, GlobalOptions } from '../context.ts'
import { createOutput, formatTable } from '../output.ts'

const document = ({ entry, codes }: Explanation) => ({ ...entry, codes })

export function addExplain(program: Command, context: Context): void {
  const command = program
    .command('explain')
    .description('say what an error means and what to do about it')
    .argument('[code]', 'a number (MOR-1010) or a code (locked); all of them when left out')
  withHelp(command, {
    examples: ['mooring explain MOR-1010', 'mooring explain guard_behind', 'mooring explain'],
    exits: [6],
  })
  command.action((code: string | undefined) => {
    const output = createOutput(context, command.optsWithGlobals<GlobalOptions>())
    if (code === undefined) {
      if (output.isJson)
        output.json({ schema: 'mooring/errors/v1', items: allErrors().map(document) })
      else output.text(formatTable(allErrors(), COLUMNS))
      return
    }
    const found = explain(code)
    if (found === undefined) throw new NodeError('unknown_error_code', { code })
    if (output.isJson) output.json({ schema: 'mooring/error/v1', ...document(found) })
    else output.text(formatExplanation(found.entry, found.codes))
  })
}

const COLUMNS = [
  { title: 'number', value: ({ entry }: Explanation) => entry.mor },
  { title: 'exit', value: ({ entry }: Explanation) => String(entry.exitCode) },
  { title: 'title', value: ({ entry }: Explanation) => entry.title },
]
