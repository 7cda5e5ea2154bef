// The same over real sockets and a real disk: a node without a chain, two honest members and one that
// lies, which is named in the log and in the progress, and dropped.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toHex } from '@mooring/codec'
import { test } from 'uvu'
import { Agreement } from '../src/agreement.ts'
import { decodeBlockAnswer, encodeBlockAnswer } from '../src/block-exchange.ts'
import { systemClock } from '../src/clock.ts'
import type { Logger } from '../src/logger.ts'
import { openStores } from '../src/stores.ts'
import { NAMES } from './chain-members.ts'
import { MadeChain } from './made-chain.ts'
import { MadeMembers } from './made-members.ts'

const BLOCKS = 1_200

test('over real sockets a liar is dropped, named in the log and the progress, and the chain arrives', async () => {
  const made = await MadeChain.open()
  const folder = await mkdtemp(join(tmpdir(), 'mooring-sync-network-'))
  const members = new MadeMembers(made)
  const lines: { sentence: string; fields: object }[] = []
  const note = (sentence: string, fields: object = {}) => void lines.push({ sentence, fields })
  const logger: Logger = {
    trace: () => undefined,
    debug: () => undefined,
    info: note,
    warn: note,
    error: note,
    log: () => undefined,
    module: () => logger,
  }
  const [own = '', liar = '', ...honest] = NAMES
  const stores = await openStores({
    home: folder,
    name: own,
    dataDir: join(folder, 'data'),
    guardDir: join(folder, 'guard'),
    genesis: made.genesis,
    genesisDigest: made.digest,
  })
  try {
    await made.grow(BLOCKS / 2)
    await made.endEpoch({ quotaPerMinute: 900_000 })
    await made.grow(BLOCKS / 2)
    await members.start(liar, {
      onRequest: (_peer, _protocol, payload) => {
        const [first, ...rest] = decodeBlockAnswer(made.answer(payload))
        const mixed = rest.map((each) => ({ ...each, finalization: first?.finalization ?? null }))
        return Promise.resolve(encodeBlockAnswer(first === undefined ? [] : [first, ...mixed]))
      },
    })
    for (const name of honest) await members.start(name, {})
    let agreement: Agreement | null = null
    const network = await members.start(own, {
      onPeer: () => agreement?.onPeers(),
      onHello: (peerId, { height }) => agreement?.noteHeight(peerId, height),
      status: () => ({ height: stores.chain.tip.height }),
    })
    const running = await Agreement.start(
      {
        genesisDigest: made.digest,
        consensusKey: null,
        mempool: { maxCount: 10, maxBytes: 1 << 20 },
      },
      {
        ...stores,
        clock: systemClock,
        logger,
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
    agreement = running
    const until = Date.now() + 45_000
    while (stores.chain.tip.height < made.height) {
      if (Date.now() > until) throw new Error(`still at ${stores.chain.tip.height}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    assert.equal(toHex(stores.chain.tip.digest), toHex(made.chain.tip.digest))
    assert.equal(stores.chain.epochs().length, 1)
    const { bad } = running.sync.progress()
    assert.deepEqual(
      bad.map(({ name, reason }) => [name, reason]),
      [[liar, 'finalization_of_another_block']],
    )
    const told = lines.filter(({ sentence }) => sentence === 'a peer sent what it must not send')
    assert.ok(told.length > 0)
    for (const { fields } of told) assert.equal(Reflect.get(fields, 'peer'), liar)
    assert.ok(lines.some(({ sentence }) => sentence === 'catching up'))
    await running.close()
  } finally {
    await members.close()
    await stores.close()
    await made.remove()
    await rm(folder, { recursive: true, force: true })
  }
})

test.run()
