// What a check of the databases found, for people.

import type { DatabaseCheck } from '@mooring/node'
import { formatCount, formatFields, formatTable, type Output } from './output.ts'

export function printCheck(output: Output, check: DatabaseCheck): void {
  const { height, digest, stateRoot, blocks, transactions, values, blobs, damaged } = check
  const verdict = damaged === 0 ? output.good('VERIFIED') : output.bad('DAMAGED')
  output.text(
    `${verdict}  ${formatCount(blocks)} blocks, ${formatCount(transactions)} transactions, ` +
      `${formatCount(values)} values, ${formatCount(blobs)} large shards`,
  )
  if (height !== null) {
    output.text(
      formatFields([
        ['height', formatCount(height)],
        ['digest', digest ?? ''],
        ['state root', stateRoot ?? ''],
      ]),
    )
  }
  if (damaged === 0) return
  output.text('')
  output.text(
    formatTable(check.findings, [
      { title: 'where', value: ({ database }) => database },
      { title: 'what', value: ({ what }) => what },
      { title: 'finding', value: ({ detail }) => detail },
    ]),
  )
  output.note('what can be done:   mooring db repair --from-peers --dry-run')
}
