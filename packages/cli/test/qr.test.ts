import assert from 'node:assert/strict'
import { test } from 'uvu'
import { encode } from 'uqr'
import { isQrWanted, svgQr, terminalQr } from '../src/qr.ts'

const TICKET = `mooring-ticket:1:riverside:${'a'.repeat(40)}:${'b'.repeat(22)}:0123456789abcdef`
const PAINT = '\u001b[97;40m'
const PLAIN = '\u001b[0m'
const terminal = (columns: number, isTTY = true) => ({
  stdout: { write: () => true, isTTY, columns },
  env: {},
})

// Rows of modules, dark is true, as an eye sees them where light is drawn.
function modulesOf(drawn: string): boolean[][] {
  const lines = drawn.replaceAll(PAINT, '').replaceAll(PLAIN, '').trimEnd().split('\n')
  return lines.flatMap((line) => [
    Array.from(line, (each) => each === ' ' || each === '\u2584'),
    Array.from(line, (each) => each === ' ' || each === '\u2580'),
  ])
}

test('what is drawn is the code of the text, light on dark', () => {
  const { data } = encode(TICKET, { ecc: 'L', border: 2, maxVersion: 25 })
  const drawn = terminalQr(terminal(80), TICKET)
  assert.ok(drawn)
  const rows = modulesOf(drawn).slice(0, data.length)
  assert.deepEqual(rows, data)
  assert.ok(drawn.startsWith(PAINT))
  const plain = terminalQr({ ...terminal(80), env: { NO_COLOR: '1' } }, TICKET)
  assert.ok(plain)
  assert.equal(plain.includes('\u001b'), false)
  assert.deepEqual(modulesOf(plain), modulesOf(drawn))
})

test('what does not fit is not drawn', () => {
  assert.equal(terminalQr(terminal(40), TICKET), undefined)
  assert.equal(terminalQr(terminal(1_000), 'x'.repeat(1_274)), undefined)
  assert.ok(terminalQr(terminal(1_000), 'x'.repeat(1_273)))
  assert.equal(svgQr('x'.repeat(1_274)), undefined)
})

test('a picture has the code too', () => {
  assert.match(svgQr(TICKET) ?? '', /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" viewBox/)
})

test('a code is shown at a terminal, or when it is asked for, and never in a document', () => {
  const tty = terminal(80)
  const pipe = terminal(80, false)
  assert.equal(isQrWanted(tty, {}), true)
  assert.equal(isQrWanted(tty, { qr: false }), false)
  assert.equal(isQrWanted(tty, { json: true, qr: true }), false)
  assert.equal(isQrWanted(pipe, {}), false)
  assert.equal(isQrWanted(pipe, { qr: true }), true)
})

test.run()
