// Where keys and values stand in a text that is valid TOML. smol-toml reads the values and keeps no
// positions; this small scanner keeps nothing else.

export type Place = {
  path: string[]
  // Of a key "12:1"; of a table that of its header, also as `value`.
  key: string
  value: string
  source: string
  isTable: boolean
  // Offsets: where the line begins, where the value begins, and where it ends.
  start: number
  from: number
  to: number
}

const KEY = /\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*(\.)?/y

// Reads `a.b."c"` from `from` on; gives the parts and the offset after the last one.
function readKey(text: string, from: number): { parts: string[]; end: number } {
  const parts: string[] = []
  KEY.lastIndex = from
  let match = KEY.exec(text)
  let end = from
  while (match !== null) {
    parts.push(match[1] ?? match[2] ?? match[3] ?? '')
    end = KEY.lastIndex
    match = match[4] === undefined ? null : KEY.exec(text)
  }
  return { parts, end }
}

const TOKEN =
  /"""[^]*?"""+|'''[^]*?'''+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|#[^\n]*|[[{]|[\]}]|\n|[^"'#[{\]}\n]+/y

// The offset after the value, and that after its line.
function endOfValue(text: string, from: number): { value: number; line: number } {
  let depth = 0
  let value = from
  TOKEN.lastIndex = from
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    const [token] = match
    if (token === '[' || token === '{') depth += 1
    if (token === ']' || token === '}') depth -= 1
    if (token === '\n' && depth === 0) return { value, line: TOKEN.lastIndex }
    if (!token.startsWith('#') && token.trim() !== '') {
      value = match.index + token.trimEnd().length
    }
  }
  return { value, line: text.length }
}

export function locate(text: string): Place[] {
  const lineStarts = [0, ...[...text.matchAll(/\n/g)].map((match) => match.index + 1)]
  const at = (offset: number) => {
    const line = lineStarts.findLastIndex((start) => start <= offset)
    return `${line + 1}:${offset - (lineStarts[line] ?? 0) + 1}`
  }
  const places: Place[] = []
  let table: string[] = []
  let offset = 0
  while (offset < text.length) {
    const start = offset + (/^[\s]*/.exec(text.slice(offset))?.[0].length ?? 0)
    const lineEnd = text.indexOf('\n', start)
    offset = lineEnd === -1 ? text.length : lineEnd + 1
    if (text[start] === '[') {
      table = readKey(text, text[start + 1] === '[' ? start + 2 : start + 1).parts
      const source = `[${table.join('.')}]`
      const place = { path: table, key: at(start), value: at(start), source, isTable: true }
      places.push({ ...place, start, from: start, to: offset })
    } else if (text[start] !== '#' && start < text.length) {
      const { parts, end } = readKey(text, start)
      const value = end + (/^=\s*/.exec(text.slice(end))?.[0].length ?? 0)
      const ended = endOfValue(text, value)
      offset = ended.line
      const [firstLine = ''] = text.slice(start, offset).split('\n')
      const source = `${table.length > 0 ? `[${table.join('.')}] ` : ''}${firstLine.trim()}`
      const path = [...table, ...parts]
      const place = { path, key: at(start), value: at(value), source, isTable: false }
      places.push({ ...place, start, from: value, to: ended.value })
    }
  }
  return places
}
