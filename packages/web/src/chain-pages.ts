/**
 * The chain: blocks, one block, one transaction. There is nothing of a record in it to be seen.
 */

import type { Client } from '@mooring/api/client'
import { code, element, fields, link, table } from './element.ts'
import type { Page } from './page.ts'
import { moment, shortDigest } from './words.ts'

type Block = Awaited<ReturnType<Client['block']>>

const PAGE_SIZE = 50

/** @param cursor of the page; empty: the newest. */
export async function showBlocks(client: Client, cursor: string): Promise<Page> {
  const page = await client.blocks({ limit: PAGE_SIZE, ...(cursor === '' ? {} : { cursor }) })
  const older =
    page.nextCursor === null
      ? 'The first block is shown.'
      : link(`#/blocks/${encodeURIComponent(page.nextCursor)}`, 'older blocks')
  return {
    title: 'Blocks',
    body: [
      element('h1', {}, 'Blocks'),
      table(page.items, [
        {
          title: 'height',
          value: ({ height }) => link(`#/block/${height}`, String(height)),
          isNumber: true,
        },
        { title: 'time', value: ({ time }) => moment(time) },
        { title: 'proposer', value: ({ proposer }) => proposer },
        {
          title: 'transactions',
          value: ({ transactionCount }) => String(transactionCount),
          isNumber: true,
        },
        { title: 'digest', value: ({ digest }) => code(shortDigest(digest)) },
      ]),
      element('p', {}, older),
    ],
  }
}

export async function showBlock(client: Client, name: string): Promise<Page> {
  const block = await client.block(name)
  const title = `Block ${block.height}`
  return {
    title,
    body: [
      element('h1', {}, title),
      blockFields(block),
      element('h2', {}, 'Transactions'),
      block.contents.length === 0
        ? element('p', { class: 'quiet' }, 'None.')
        : table(block.contents, [
            { title: 'kind', value: ({ kind }) => kind },
            { title: 'organisation', value: ({ organisation }) => organisation },
            { title: 'id', value: ({ id }) => link(`#/transaction/${id}`, shortDigest(id)) },
          ]),
    ],
  }
}

function blockFields(block: Block): HTMLElement {
  const { height, finalization } = block
  const signers =
    finalization === null
      ? 'not kept'
      : `${finalization.signers.join(', ')} (needed ${finalization.quorum})`
  return fields([
    ['digest', code(block.digest)],
    ['time', moment(block.time)],
    ['proposer', block.proposer],
    ['epoch and view', `${block.epoch}, ${block.view}`],
    [
      'parent',
      height > 1 ? link(`#/block/${height - 1}`, shortDigest(block.parent)) : code(block.parent),
    ],
    ['state root', code(block.stateRoot)],
    ['transaction root', code(block.transactionRoot)],
    ['signed by', signers],
  ])
}

export async function showTransaction(client: Client, id: string): Promise<Page> {
  const found = await client.transaction(id)
  const { height, receipt } = found
  const title = `Transaction ${shortDigest(found.id)}`
  return {
    title,
    body: [
      element('h1', {}, title),
      element('p', {}, found.summary),
      fields([
        ['id', code(found.id)],
        ['kind', found.kind],
        ['organisation', found.organisation],
        ['status', found.status],
        ['block', height === null ? 'waits' : link(`#/block/${height}`, String(height))],
        ['expires', moment(found.expiresAt)],
      ]),
      element('h2', {}, 'What was signed'),
      element('pre', {}, JSON.stringify(found.body, null, 2)),
      ...(receipt === null
        ? []
        : [element('h2', {}, 'What it did'), element('pre', {}, JSON.stringify(receipt, null, 2))]),
    ],
  }
}
