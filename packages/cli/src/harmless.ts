// What others wrote is shown and does not steer the terminal: names of readers, answers of hospitals, types
// of records, details of refusals. Signs that control it, or turn the direction of what follows, are shown
// as what they are; the few colours that this program paints with pass.

const PAINTS = ['0', '2', '31', '32', '97;40'].map((code) => `\u001b[${code}m`)

/** In one line: a line end is shown too, so that nobody writes a line of a table for another. */
export function harmlessLine(text: string): string {
  return escaped(text, '')
}

export function harmless(text: string): string {
  return escaped(text, '\n\t')
}

function escaped(text: string, passing: string): string {
  let shown = ''
  for (let at = 0; at < text.length; at += 1) {
    const sign = text.charAt(at)
    const paint = PAINTS.find((each) => text.startsWith(each, at))
    shown += paint ?? (steers(sign) && !passing.includes(sign) ? codeOf(sign) : sign)
    at += (paint?.length ?? 1) - 1
  }
  return shown
}

function steers(sign: string): boolean {
  const code = sign.charCodeAt(0)
  const isControl = code < 0x20 || (code >= 0x7f && code < 0xa0)
  const isTurning = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069)
  return isControl || isTurning
}

function codeOf(sign: string): string {
  return `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`
}
