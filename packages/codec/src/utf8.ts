// UTF-8 of what is short and nearly always ASCII: names, labels, single values. The platform's encoder takes several
// times as long to be called as to encode them.

const utf8 = new TextEncoder()
const SHORT_MAX = 1_024

/** As TextEncoder has it, for every text. */
export function utf8Bytes(text: string): Uint8Array {
  if (text.length > SHORT_MAX) return utf8.encode(text)
  const bytes = new Uint8Array(text.length)
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    if (unit > 0x7f) return utf8.encode(text)
    bytes[at] = unit
  }
  return bytes
}
