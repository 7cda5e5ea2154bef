// How fast a node without a chain catches up with three peers, over real sockets, disk and signatures.
//
//   node packages/node/bench/sync.ts [--json] [--blocks 10000] [--transactions 10]
//
// The peers hold a chain that was made by hand. All run in this process, so that what the peers do for it
// is paid from the same core; nothing is skipped: every certificate, signature and state root is checked.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Agreement } from '../src/agreement.ts'
import { systemClock } from '../src/clock.ts'
import { createLogger } from '../src/logger.ts'
import { openStores } from '../src/stores.ts'
import { NAMES } from '../test/chain-members.ts'
import { MadeChain } from '../test/made-chain.ts'
import { MadeMembers } from '../test/made-members.ts'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    blocks: { type: 'string', default: '10000' },
    transactions: { type: 'string', default: '10' },
  },
})
const blocks = Number(values.blocks)
const transactionsPerBlock = Number(values.transactions)
const [laggardName = '', ...peerNames] = NAMES

const made = await MadeChain.open()
const folder = await mkdtemp(join(tmpdir(), 'mooring-bench-sync-'))
const members = new MadeMembers(made)
await made.grow(blocks, { transactionsPerBlock })
for (const name of peerNames) await members.start(name, {})
const stores = await openStores({
  home: folder,
  name: laggardName,
  dataDir: join(folder, 'data'),
  guardDir: join(folder, 'guard'),
  genesis: made.genesis,
  genesisDigest: made.digest,
})
let agreement: Agreement | null = null
const network = await members.start(laggardName, {
  onPeer: () => agreement?.onPeers(),
  onHello: (peerId, { height }) => agreement?.noteHeight(peerId, height),
  status: () => ({ height: stores.chain.tip.height }),
})
const began = performance.now()
let longestTurnMs = 0
let turnedAt = performance.now()
const watch = setInterval(() => {
  const now = performance.now()
  longestTurnMs = Math.max(longestTurnMs, now - turnedAt)
  turnedAt = now
}, 1)
agreement = await Agreement.start(
  {
    genesisDigest: made.digest,
    consensusKey: null,
    mempool: { maxCount: 10_000, maxBytes: 16 << 20 },
  },
  {
    ...stores,
    clock: systemClock,
    logger: createLogger({ levels: { base: 'silent', modules: {} }, format: 'json' }),
    network,
    onEvidence: () => undefined,
    onHalt: () => undefined,
    onVoted: () => undefined,
    onDurable: () => undefined,
    onFatal: (error) => {
      throw error
    },
  },
)
while (stores.chain.tip.height < blocks) await new Promise((resolve) => setTimeout(resolve, 20))
const seconds = (performance.now() - began) / 1_000
clearInterval(watch)
const figures = {
  bench: 'sync',
  blocks,
  transactionsPerBlock,
  peers: peerNames.length,
  seconds: Math.round(seconds * 10) / 10,
  blocksPerSecond: Math.round(blocks / seconds),
  transactionsPerSecond: Math.round((blocks * transactionsPerBlock) / seconds),
  longestTurnMs: Math.round(longestTurnMs),
}
if (values.json) console.log(JSON.stringify(figures))
else for (const [name, value] of Object.entries(figures)) console.log(`${name.padEnd(22)} ${value}`)
await agreement.close()
await members.close()
await stores.close()
await made.remove()
await rm(folder, { recursive: true, force: true })
