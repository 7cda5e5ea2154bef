/**
 * One node at one moment: what it is, whether it is well, who else is there.
 */

import type { Client } from '@mooring/api/client'
import { card, element, fields, link, table } from './element.ts'
import type { Page } from './page.ts'
import { bytes, count, duration, moment } from './words.ts'

type Status = Awaited<ReturnType<Client['status']>>

export async function showNode(client: Client): Promise<Page> {
  const [status, { items: peers }] = await Promise.all([client.status(), client.peers()])
  const title = `${status.node.name} on ${status.network.name}`
  return {
    title,
    body: [
      element('h1', {}, title),
      cards(status),
      ...trouble(status),
      element('h2', {}, 'Other hospitals'),
      table(peers, [
        { title: 'organisation', value: ({ name }) => name },
        {
          title: 'connection',
          value: ({ connected, lastError }) =>
            connected
              ? element('span', { class: 'good' }, 'connected')
              : element('span', { class: 'bad' }, lastError ?? 'not connected'),
        },
        { title: 'height', value: ({ height }) => String(height ?? ''), isNumber: true },
        {
          title: 'round trip',
          value: ({ rttMs }) => (rttMs === null ? '' : duration(rttMs)),
          isNumber: true,
        },
      ]),
      element('h2', {}, 'Details'),
      details(status),
    ],
  }
}

function cards({ chain, consensus, records, holder }: Status): HTMLElement {
  const { height, finalityP50Ms, finalityP95Ms } = chain
  const { live, authorities, quorum, tolerates } = consensus
  const spare = tolerates < 0 ? 'blocks wait' : `${tolerates} more may fail`
  return element(
    'div',
    { class: 'cards' },
    card('final block', count(height), link(`#/block/${height}`, moment(chain.time))),
    card('finality', duration(finalityP50Ms), `95 % within ${duration(finalityP95Ms)}`),
    card('authorities', `${live} of ${authorities}`, `quorum ${quorum}, ${spare}`),
    card('records taken here', count(records.accepted), `${count(records.anchored)} anchored`),
    card('kept for others', `${count(holder.shards)} shards`, bytes(holder.bytes)),
  )
}

function trouble({ alarms, consensus }: Status): HTMLElement[] {
  const said = alarms.map(({ code, detail, since }) => ({ name: code, detail, since }))
  const { stall } = consensus
  const all =
    stall === null ? said : [{ name: stall.code, detail: stall.detail, since: null }, ...said]
  return all.map(({ name, detail, since }) =>
    element(
      'p',
      { class: 'problem' },
      element('b', {}, name),
      ` ${detail}${since === null ? '' : ` Since ${moment(since)}.`}`,
    ),
  )
}

function details({ node, network, consensus, storage, mempool }: Status): HTMLElement {
  return fields([
    ['network', `${network.id}, protocol v${network.protocolVersion}`],
    ['this node', `${node.role}, Mooring ${node.version}, Node ${node.runtime}`],
    ['peer id', node.peerId],
    ['started', moment(node.startedAt)],
    ['epoch and view', `${consensus.epoch}, ${consensus.view}; ${consensus.leader} leads`],
    ['waiting', `${count(mempool.transactions)} transactions, ${bytes(mempool.bytes)}`],
    ['disk', `${bytes(storage.bytes)} used, ${bytes(storage.freeBytes)} free`],
    ['bodies kept', storage.retention],
  ])
}
