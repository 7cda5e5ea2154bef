/**
 * Who belongs to the network, who votes, and what is proposed to change.
 */

import type { Client } from '@mooring/api/client'
import { code, element, fields, table } from './element.ts'
import type { Page } from './page.ts'

export async function showMembers(client: Client): Promise<Page> {
  const [network, { items }] = await Promise.all([client.network(), client.members()])
  return {
    title: 'Members',
    body: [
      element('h1', {}, `Members of ${network.name}`),
      table(items, [
        { title: 'organisation', value: ({ id }) => id },
        { title: 'name', value: ({ name }) => name },
        { title: 'owner', value: ({ legalGroup }) => legalGroup },
        {
          title: 'votes',
          value: ({ authority }) => (authority === null ? 'no' : 'yes'),
        },
        {
          title: 'seen from here',
          value: ({ connected }) =>
            connected
              ? element('span', { class: 'good' }, 'connected')
              : element('span', { class: 'bad' }, 'not connected'),
        },
        { title: 'height', value: ({ height }) => String(height ?? ''), isNumber: true },
        { title: 'since epoch', value: ({ sinceEpoch }) => String(sinceEpoch), isNumber: true },
      ]),
      element('h2', {}, 'What all agree on'),
      fields([
        ['network', network.networkId],
        ['genesis digest', code(network.genesisDigest)],
        ['epoch', String(network.epoch)],
        ['protocol', `v${network.protocolVersion}`],
        ['quorum', `${network.quorum} of ${network.authorities.length}`],
        ...Object.entries(network.parameters).map(
          ([name, value]) => [name, String(value)] as const,
        ),
      ]),
    ],
  }
}
