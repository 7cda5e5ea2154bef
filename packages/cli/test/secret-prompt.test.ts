import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { NodeError } from '@mooring/node'
import { test } from 'uvu'
import { secretPrompt, type Terminal } from '../src/secret-prompt.ts'

// What the prompt needs of a terminal, and no more.
function fakeTerminal(isTTY = true) {
  const modes: boolean[] = []
  let shown = ''
  const stream = new PassThrough()
  const input = Object.assign(stream, { isTTY, setRawMode: (raw: boolean) => modes.push(raw) })
  const output = { isTTY, write: (text: string) => (shown += text) }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- stands in for a terminal
  const terminal = { input, output } as unknown as Terminal
  return { terminal, type: (keys: string) => stream.write(keys), modes, shown: () => shown }
}

test('what is typed is not shown, and corrections count', async () => {
  const { terminal, type, modes, shown } = fakeTerminal()
  const ask = secretPrompt(terminal)
  assert.ok(ask)
  const answer = ask('Passphrase: ')
  type('corrext\u007f\u007ft h\u00f6rse\r')
  assert.equal(await answer, 'corret h\u00f6rse')
  assert.equal(shown(), 'Passphrase: \n')
  assert.deepEqual(modes, [true, false])
})

test('two questions get their own answers', async () => {
  const { terminal, type } = fakeTerminal()
  const ask = secretPrompt(terminal)
  assert.ok(ask)
  const first = ask('1 ')
  type('one\r')
  assert.equal(await first, 'one')
  const second = ask('2 ')
  type('two\r')
  assert.equal(await second, 'two')
})

test('Ctrl-C ends the question and gives the terminal back', async () => {
  const { terminal, type, modes } = fakeTerminal()
  const ask = secretPrompt(terminal)
  assert.ok(ask)
  const answer = ask('Passphrase: ')
  type('abc\u0003')
  await assert.rejects(answer, NodeError)
  assert.deepEqual(modes, [true, false])
})

test('where nobody sits nobody is asked', () => {
  assert.equal(secretPrompt(fakeTerminal(false).terminal), undefined)
})

test.run()
