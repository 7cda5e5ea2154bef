// The fields of a resource: one JSON pointer and one exact value per leaf of its tree.
//
// The value is the canonical form of a string, boolean or null, but for a number it is the text the
// author wrote: 80.00 says something about precision that 80 does not. Empty objects and arrays are
// leaves too, so that taking one away is visible.

import { type JsonNode, jcsString, utf8Bytes } from '@mooring/codec'

export interface Field {
  readonly pointer: string
  readonly value: Uint8Array
}

export function fieldsOf(node: JsonNode): Field[] {
  const fields: Field[] = []
  collect(node, '', fields)
  return fields
}

function collect(node: JsonNode, pointer: string, fields: Field[]): void {
  if (node.kind === 'object' && node.members.length > 0) {
    for (const member of node.members) {
      collect(member.value, `${pointer}/${escapePointer(member.key)}`, fields)
    }
  } else if (node.kind === 'array' && node.items.length > 0) {
    for (const [index, item] of node.items.entries()) collect(item, `${pointer}/${index}`, fields)
  } else {
    fields.push({ pointer, value: utf8Bytes(leafText(node)) })
  }
}

function leafText(node: JsonNode): string {
  switch (node.kind) {
    case 'object':
      return '{}'
    case 'array':
      return '[]'
    case 'string':
      return jcsString(node.value)
    case 'number':
      return node.lexeme
    case 'boolean':
      return node.value ? 'true' : 'false'
    case 'null':
      return 'null'
  }
}

/** One key as a part of a JSON pointer (RFC 6901). */
export function escapePointer(key: string): string {
  return key.includes('~') || key.includes('/')
    ? key.replaceAll('~', '~0').replaceAll('/', '~1')
    : key
}
