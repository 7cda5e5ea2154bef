// QR codes: in a terminal, half a line high each module, and as a picture to print. What does not fit is
// shown as text alone; a code that a camera cannot read is worse than none.

import { encode, renderSVG, renderUnicodeCompact } from 'uqr'
import { type Context, type GlobalOptions, widthOf } from './context.ts'

// A version 25 code: what a phone reads from a screen in one try.
const VERSION_MAX = 25
const BORDER = 2
const utf8 = new TextEncoder()

// Undefined when it is too long for a code, or too wide for the terminal.
export function terminalQr(
  { stdout, env }: Pick<Context, 'stdout' | 'env'>,
  text: string,
): string | undefined {
  if (!fits(text)) return undefined
  const { size } = encode(text, { ecc: 'L', border: BORDER, maxVersion: VERSION_MAX })
  if (size > widthOf(stdout, env)) return undefined
  // Dark on light whatever the terminal's colours are: black modules are the gaps.
  return `${renderUnicodeCompact(text, { ecc: 'L', border: BORDER, maxVersion: VERSION_MAX })}\n`
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

// Bytes that a code of the largest version used here holds at the lowest correction.
const BYTES_MAX = 1_273

function fits(text: string): boolean {
  return utf8.encode(text).length <= BYTES_MAX
}
