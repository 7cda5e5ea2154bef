// What a person types that nobody else may see: asked at the terminal without echo, or read from a file
// that is theirs alone.

import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { emitKeypressEvents, type Key } from 'node:readline'
import { NodeError } from '@mooring/node/node-error'
import type { Context } from './context.ts'

const SECRET_BYTES_MAX = 4_096

export type Terminal = {
  input: NodeJS.ReadStream
  output: NodeJS.WriteStream
}

// Undefined where nobody sits.
export function secretPrompt({ input, output }: Terminal): Context['askSecret'] {
  if (!input.isTTY || !output.isTTY) return undefined
  return (question) => {
    emitKeypressEvents(input)
    input.setRawMode(true)
    input.resume()
    output.write(question)
    return new Promise((answer, reject) => {
      let typed = ''
      const end = () => {
        input.off('keypress', onKey)
        input.setRawMode(false)
        input.pause()
        output.write('\n')
      }
      const onKey = (character: string | undefined, key: Key) => {
        if (key.ctrl === true && key.name === 'c') {
          end()
          reject(new NodeError('usage', { detail: 'Interrupted.', command: '' }))
        } else if (key.name === 'return' || key.name === 'enter') {
          end()
          answer(typed)
        } else if (key.name === 'backspace') typed = Array.from(typed).slice(0, -1).join('')
        else if (key.ctrl !== true && key.meta !== true && typed.length < SECRET_BYTES_MAX)
          typed += character ?? ''
      }
      input.on('keypress', onKey)
    })
  }
}

// The first line of a file that others may not read.
export async function readSecretFile(context: Context, path: string): Promise<string> {
  const file = resolve(context.cwd, path)
  try {
    const { mode, size } = await stat(file)
    if ((mode & 0o077) !== 0) {
      const shown = (mode & 0o777).toString(8).padStart(4, '0')
      throw new NodeError('passphrase_open', { path, mode: shown })
    }
    if (size > SECRET_BYTES_MAX) {
      throw new NodeError('file_unreadable', { path, detail: 'it is no file with one line' })
    }
    const content = await readFile(file, 'utf8')
    return content.replace(/\r?\n[^]*$/, '')
  } catch (error) {
    if (error instanceof NodeError || !(error instanceof Error)) throw error
    const code = 'code' in error ? error.code : undefined
    if (code === 'ENOENT') throw new NodeError('file_missing', { path }, { cause: error })
    throw new NodeError('file_unreadable', { path, detail: error.message }, { cause: error })
  }
}
