// Documents of one line that people hand each other: pasted as they are, or in a file; shown with a QR code
// where there is a terminal to show it in.

import { NodeError } from '@mooring/node/node-error'
import {
  type DocumentKind,
  formatDocumentText,
  parseDocumentText,
  RecordsError,
} from '@mooring/records'
import type { Command } from 'commander'
import type { Context, GlobalOptions } from './context.ts'
import { writeNew } from './grant-file.ts'
import type { Output } from './output.ts'
import { isQrWanted, terminalQr } from './qr.ts'
import { readInput } from './read-input.ts'

export type DocumentOptions = { output?: string; qr?: boolean }

const LINE = /^\s*mooring-[a-z-]+:/

export async function readLine(context: Context, word: string, bytesMax: number): Promise<string> {
  if (LINE.test(word)) return word
  return new TextDecoder().decode(await readInput(context, word, bytesMax))
}

// The line itself, a file that has it, or - for stdin.
export async function readDocument<T>(
  context: Context,
  kind: DocumentKind<T>,
  word: string,
): Promise<T> {
  return parseLine(kind, await readLine(context, word, 2 * kind.bytesMax + 64))
}

export function parseLine<T>(kind: DocumentKind<T>, line: string): T {
  try {
    return parseDocumentText(kind, line)
  } catch (error) {
    if (!(error instanceof RecordsError)) throw error
    const data = { kind: `mooring-${kind.name}`, detail: error.message }
    throw new NodeError('document_unreadable', data, { cause: error })
  }
}

export function lineOptions(command: Command): Command {
  return command
    .option('-o, --output <file>', 'write it there instead of stdout')
    .option('--qr', 'show it as a QR code too')
}

export type ShownDocument = { text: string; file: string | null }

// To a file where one is named, else to stdout.
export async function showDocument<T>(
  context: Context,
  options: GlobalOptions & DocumentOptions,
  { kind, value, output }: { kind: DocumentKind<T>; value: T; output: Output },
): Promise<ShownDocument> {
  const text = formatDocumentText(kind, value)
  if (options.output !== undefined) {
    await writeNew(context, options.output, `${text}\n`)
    output.note(`written to ${options.output}`)
    return { text, file: options.output }
  }
  if (output.isJson) return { text, file: null }
  const code = isQrWanted(context, options) ? terminalQr(context, text) : undefined
  if (code !== undefined) output.note(code)
  output.text(text)
  return { text, file: null }
}
