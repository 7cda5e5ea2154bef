// The tree as data, from a program that nobody runs.

import { type CommandNote, describeTree } from './command-tree.ts'
import type { Context } from './context.ts'
import { createProgram } from './program.ts'

const NOWHERE: Context = {
  stdout: { write: () => true },
  stderr: { write: () => true },
  stdin: ReadableStream.from<Uint8Array>([]),
  env: {},
  cwd: '/',
  now: () => new Date(0),
  onInterrupt: () => () => undefined,
  startNode: () => Promise.reject(new TypeError('a program that is only described starts nothing')),
}

export async function programNote(): Promise<CommandNote> {
  return describeTree(await createProgram(NOWHERE, { exitCode: 0 }))
}
