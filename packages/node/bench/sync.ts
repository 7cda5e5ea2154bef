// How fast a node without a chain catches up with three peers, over real sockets, disk and signatures:
// `npm run bench -- sync --blocks 200 --transactions 1000`.
//
// The peers hold a chain that was made by hand: every transaction and certificate is signed, nobody agreed on
// anything. They run in another process on the same cores. The newcomer skips nothing: every certificate, signature,
// transaction and state root is checked, and what it applied is on the disk when the clock is stopped.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { genesisDigest } from '@mooring/ledger'
import { type Give, runBench } from '../../../scripts/bench/program.ts'
import { Agreement } from '../src/agreement.ts'
import { systemClock } from '../src/clock.ts'
import { createLogger } from '../src/logger.ts'
import { SignatureThreads } from '../src/signature-threads.ts'
import { openStores } from '../src/stores.ts'
import { genesisWith, NAMES } from '../test/chain-members.ts'
import { MadeMembers } from '../test/made-members.ts'
import type { MadePeers } from './made-peers.ts'

const POLL_MS = 5
const TARGET = 15_000
const PEERS = fileURLToPath(new URL('./made-peers.ts', import.meta.url))

const genesis = genesisWith({ quotaPerMinute: 1_000_000 })
const digest = genesisDigest(genesis)

await runBench({
  name: 'sync',
  what: 'a newcomer verifies and applies what three peers have',
  options: { blocks: 200, transactions: 1_000 },
  quick: { blocks: 20, transactions: 20 },
  run: async ({ options, give, note, say }) => {
    const peers = fork(PEERS, [String(options.blocks), String(options.transactions)])
    const folder = await mkdtemp(join(tmpdir(), 'mooring-bench-sync-'))
    try {
      const [there]: MadePeers[] = await once(peers, 'message')
      if (there === undefined) throw new Error('no peers')
      say('the peers have their chain')
      await catchUp(folder, there, { ...options, give })
    } finally {
      peers.send('close')
      await once(peers, 'exit')
      await rm(folder, { recursive: true, force: true })
    }
    note(
      'The chain was made by hand, every transaction signed; its peers are one process on the same cores.',
    )
  },
})

interface Size {
  blocks: number
  transactions: number
  give: Give
}

async function catchUp(home: string, peers: MadePeers, size: Size): Promise<void> {
  const [name = ''] = NAMES
  const stores = await openStores({
    home,
    name,
    dataDir: join(home, 'data'),
    guardDir: join(home, 'guard'),
    genesis,
    genesisDigest: digest,
  })
  const { chain } = stores
  const members = new MadeMembers({ digest, height: 0, answer: () => new Uint8Array(0) })
  for (const [peerId, addresses] of peers.addresses) members.addresses.set(peerId, addresses)
  let agreement: Agreement | null = null
  const network = await members.start(name, {
    onPeer: () => agreement?.onPeers(),
    onHello: (peerId, { height }) => agreement?.noteHeight(peerId, height),
    status: () => ({ height: chain.tip.height }),
  })
  const turns = watchTurns()
  const [began, cpu, thread] = [performance.now(), process.cpuUsage(), process.threadCpuUsage()]
  agreement = await Agreement.start(
    {
      genesisDigest: digest,
      consensusKey: null,
      mempool: { maxCount: 10_000, maxBytes: 16 << 20 },
    },
    {
      ...stores,
      clock: systemClock,
      logger: createLogger({ levels: { base: 'silent', modules: {} }, format: 'json' }),
      network,
      signatures: new SignatureThreads(digest),
      onEvidence: () => undefined,
      onHalt: () => undefined,
      onVoted: () => undefined,
      onDurable: () => undefined,
      onFatal: (error) => {
        throw error
      },
    },
  )
  while (chain.tip.height < peers.height) await pause(POLL_MS)
  const seconds = (performance.now() - began) / 1_000
  const transactions = size.blocks * size.transactions
  const at = { transactions: size.transactions }
  const perTransaction = ({ user, system }: NodeJS.CpuUsage) => (user + system) / transactions
  size.give('transactions a second', '/s', transactions / seconds, {
    at,
    target: { atLeast: TARGET },
  })
  size.give('blocks a second', '/s', size.blocks / seconds, { at })
  size.give('CPU a transaction', 'us', perTransaction(process.cpuUsage(cpu)), { at })
  size.give('of it on the event loop', 'us', perTransaction(process.threadCpuUsage(thread)), { at })
  const longest = turns.stop()
  size.give('longest turn', 'ms', longest.ms, { at })
  size.give('longest turn, CPU', 'ms', longest.cpuMs, { at })
  await agreement.close()
  await members.close()
  await stores.close()
}

/** How long nothing else had its turn, at worst; and how long the thread worked meanwhile, whoever else had the core. */
function watchTurns(): { stop: () => { ms: number; cpuMs: number } } {
  const longest = { ms: 0, cpuMs: 0 }
  let [last, lastCpu] = [performance.now(), threadMs()]
  const timer = setInterval(() => {
    const [now, cpu] = [performance.now(), threadMs()]
    longest.ms = Math.max(longest.ms, now - last)
    longest.cpuMs = Math.max(longest.cpuMs, cpu - lastCpu)
    last = now
    lastCpu = cpu
  }, 1)
  return {
    stop: () => {
      clearInterval(timer)
      return longest
    },
  }
}

function threadMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}
