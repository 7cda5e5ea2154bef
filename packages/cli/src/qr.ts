// QR codes: in a terminal, half a line high each module, and as a picture to print. What does not fit is
// shown as text alone; a code that a camera cannot read is worse than none.

import { encode, renderSVG, renderUnicodeCompact } from 'uqr'
import { type Context, type GlobalOptions, hasColour, widthOf } from './context.ts'

// A version 25 code: what a phone reads from a screen in one try.
const VERSION_MAX = 25
// What it holds at the lowest correction.
const BYTES_MAX = 1_273
const BORDER = 2
const WHITE_ON_BLACK = '\u001b[97;40m'
const PLAIN = '\u001b[0m'
const utf8 = new TextEncoder()

// Undefined when it is too long for a code, or too wide for the terminal. Light modules are drawn, dark ones
// left out; with colours they are light and dark on every terminal, without on a dark one.
export function terminalQr(
  context: Pick<Context, 'stdout' | 'env'>,
  text: string,
  options: GlobalOptions = {},
): string | undefined {
  const shape = { ecc: 'L', border: BORDER, maxVersion: VERSION_MAX } as const
  if (!fits(text)) return undefined
  if (encode(text, shape).size > widthOf(context.stdout, context.env)) return undefined
  const lines = renderUnicodeCompact(text, shape).split('\n')
  const paint = hasColour(context, options)
  return lines.map((line) => (paint ? `${WHITE_ON_BLACK}${line}${PLAIN}\n` : `${line}\n`)).join('')
}

// A picture, for a card or a poster; undefined when the text is too long for a code.
export function svgQr(text: string): string | undefined {
  if (!fits(text)) return undefined
  return renderSVG(text, { ecc: 'M', border: 4, maxVersion: VERSION_MAX + 5 })
}

// Shown beside a text that a person may also paste; not when the answer is a document.
export function isQrWanted(
  { stdout }: Pick<Context, 'stdout'>,
  options: GlobalOptions & { qr?: boolean },
): boolean {
  if (options.json === true || options.qr === false) return false
  return options.qr === true || stdout.isTTY === true
}

function fits(text: string): boolean {
  return utf8.encode(text).length <= BYTES_MAX
}
