// How far an erasure is, and what became of a request to correct a record, for people.

import type { Amendment, Erasure } from '@mooring/api'
import { formatAmount, formatFields, formatTable, type Output, shortDigest } from './output.ts'

const words = (reason: string) => reason.replaceAll('_', ' ')

function standingOf({ status, until, tombstone, waiting }: Erasure): string {
  const left = waiting.length === 0 ? '' : `, ${waiting.join(', ')} not told so far`
  switch (status) {
    case 'erased':
      return `erased, tombstone in block ${tombstone?.height ?? 0}${left}`
    case 'ordered':
      return 'ordered: its tombstone is not final so far'
    case 'lifting':
      return `readable again${left}`
    case 'restricted':
      return `restricted: no grant opens it${until === null ? '' : `, kept until ${until}`}${left}`
  }
}

export function printErasure(output: Output, erasure: Erasure): void {
  if (output.isJson) {
    output.json({ schema: 'mooring/erasure/v1', ...erasure })
    return
  }
  const { record, reason, by, requestedAt, code, tombstone, deletions } = erasure
  const fields: [string, string][] = [
    ['record', record],
    ['status', standingOf(erasure)],
    ['asked', `${requestedAt} by the ${by}: ${words(reason)}`],
  ]
  if (code !== null) fields.push(['kept by', words(code)])
  if (tombstone !== null) {
    fields.push(['tombstone', tombstone.transactionId ?? tombstone.item])
    fields.push(['on the chain', `item ${shortDigest(tombstone.item)}, which names nothing`])
  }
  output.text(formatFields(fields))
  for (const { holder, shards, height } of deletions) {
    const what =
      shards.length === 0 ? 'had nothing of it' : `deleted ${formatAmount(shards.length, 'shard')}`
    output.text(`  ${holder} ${what}, signed at block ${height}`)
  }
}

export function printErasures(output: Output, items: readonly Erasure[]): void {
  if (output.isJson) {
    output.json({ schema: 'mooring/erasures/v1', items })
    return
  }
  if (items.length === 0) {
    output.text('nothing is erased or restricted here')
    return
  }
  output.text(
    formatTable(items, [
      { title: 'record', value: ({ record }) => record },
      { title: 'class', value: (erasure) => erasure.class },
      { title: 'asked by', value: ({ by }) => by },
      { title: 'why', value: ({ reason }) => words(reason) },
      { title: 'standing', value: standingOf },
      { title: 'signed', value: ({ deletions }) => String(deletions.length), align: 'right' },
    ]),
  )
}

export function printAmendments(output: Output, items: readonly Amendment[]): void {
  if (output.isJson) {
    output.json({ schema: 'mooring/amendments/v1', items })
    return
  }
  if (items.length === 0) {
    output.text('no correction was asked for')
    return
  }
  for (const { id, record, request, requestedAt, answer } of items) {
    const fields: [string, string][] = [
      ['request', id],
      ['record', record],
      ['asked', `${requestedAt}: ${request}`],
    ]
    if (answer === null) fields.push(['answer', 'none so far'])
    else {
      fields.push(['answer', `${answer.answeredAt}: ${answer.outcome}. ${answer.reason}`])
      if (answer.correction !== null) fields.push(['corrected by', answer.correction])
    }
    output.text(`${formatFields(fields)}\n`)
  }
}
