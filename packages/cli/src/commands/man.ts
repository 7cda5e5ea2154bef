import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { NodeError } from '@mooring/node/node-error'
import type { Command } from 'commander'
import { withHelp } from '../command-help.ts'
import { allNotes, describeTree } from '../command-tree.ts'
import type { Context, GlobalOptions } from '../context.ts'
import { manPage, manPages } from '../man-page.ts'
import { createOutput, formatAmount } from '../output.ts'

export function addMan(program: Command, context: Context): void {
  const command = program
    .command('man')
    .description('pages of the manual: one to stdout, or all of them into a folder')
    .argument('[command...]', 'whose page; that of mooring when left out')
    .option('-o, --output <dir>', 'write all pages there')
  withHelp(command, {
    examples: ['mooring man record submit | man -l -', 'mooring man -o ~/.local/share/man/man1'],
    exits: [6],
  })
  command.action(async (words: string[]) => {
    const options = command.optsWithGlobals<GlobalOptions & { output?: string }>()
    const output = createOutput(context, options)
    const tree = describeTree(program)
    if (options.output === undefined) {
      const path = words.join(' ')
      const note = allNotes(tree).find((each) => each.path === path)
      if (note === undefined) throw new NodeError('command_unknown', { command: path })
      context.stdout.write(manPage(note, tree))
      return
    }
    const folder = resolve(context.cwd, options.output)
    const pages = manPages(tree)
    await mkdir(folder, { recursive: true })
    for (const [name, text] of pages) await writeFile(join(folder, name), text)
    if (output.isJson) output.json({ schema: 'mooring/man-pages/v1', folder, count: pages.size })
    else output.note(`${formatAmount(pages.size, 'page')} written to ${folder}`)
  })
}
