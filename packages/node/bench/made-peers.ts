// Three members that hold a chain which was made by hand, in a process of their own beside a benchmark: what they do
// is not counted as work of the node that is measured, though it is done on the same cores.
//
//   fork('made-peers.ts', [blocks, transactions in each])

import { MadeChain } from '../test/made-chain.ts'
import { MadeMembers } from '../test/made-members.ts'
import { NAMES } from '../test/chain-members.ts'

export interface MadePeers {
  addresses: [peerId: string, addresses: string[]][]
  height: number
}

const [blocks = 0, transactionsPerBlock = 0] = process.argv.slice(2).map(Number)
const made = await MadeChain.open()
const members = new MadeMembers(made)
await made.grow(blocks, { transactionsPerBlock })
for (const name of NAMES.slice(1)) await members.start(name, {})
process.once('message', () => {
  void (async () => {
    await members.close()
    await made.remove()
    process.disconnect()
  })()
})
process.send?.({
  addresses: [...members.addresses],
  height: made.height,
} satisfies MadePeers)
