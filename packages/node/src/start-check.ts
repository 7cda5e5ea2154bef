// What `[storage] verify_on_start` asks for, before a node takes part in anything: so many of the newest
// blocks with their transactions and certificates, or all of the chain. Opening has checked the files, the
// tip and that the headers hang together.

import type { ChainStore } from '@mooring/storage'
import { verifyChain } from '@mooring/storage'
import { genesisState } from '@mooring/ledger'
import { checkBlocks } from './block-check.ts'
import { HOME_FORMAT } from './home-format.ts'
import type { NodeOptions } from './load-options.ts'
import type { Logger } from './logger.ts'
import { NodeError } from './node-error.ts'
import { type OpenedDatabase, readHeader } from './stores.ts'

const ROWS_MAX = 20

/** @throws NodeError database_damaged */
export async function checkAtStart(
  { storage, genesis, genesisDigest }: Pick<NodeOptions, 'storage' | 'genesis' | 'genesisDigest'>,
  { chain, databases }: { chain: ChainStore; databases: readonly OpenedDatabase[] },
  logger: Logger,
): Promise<void> {
  const { verifyOnStart: wanted } = storage
  if (wanted.kind === 'none') return
  const started = performance.now()
  const rows: string[] = []
  let count = 0
  const note = (row: string): void => {
    count += 1
    if (rows.length < ROWS_MAX) rows.push(row)
  }
  const pinned = await chain.pin()
  try {
    const { prunedTo } = chain
    const blocks = wanted.kind === 'full' ? Number.POSITIVE_INFINITY : wanted.blocks
    const checked = { pinned, prunedTo, genesis, genesisDigest, blocks }
    for await (const { height, fault } of checkBlocks(checked)) note(`block ${height}: ${fault}`)
  } finally {
    await pinned.close()
  }
  if (wanted.kind === 'full') {
    const database = databases.find(({ name }) => name === 'chain')?.database.pin()
    if (database === undefined) throw new Error('the chain has no database')
    try {
      const { problems } = await verifyChain(database, {
        genesis: {
          digest: genesisDigest,
          time: genesis.time,
          state: genesisState(genesis).values(),
        },
        decodeHeader: readHeader,
      })
      for (const { message, details } of problems) note(`${details['key'] ?? 'chain'}: ${message}`)
    } finally {
      await database.close()
    }
  }
  if (count > 0) throw new NodeError('database_damaged', { count }, { rows })
  const { height } = chain.tip
  logger.debug('the chain was checked', { height, ms: Math.round(performance.now() - started) })
}

/** An older home was brought to the format of this version; one without blocks is new, and not older. */
export function tellOfMigration(
  { chain, formatBefore: from }: { chain: ChainStore; formatBefore: number },
  logger: Logger,
): void {
  if (from === HOME_FORMAT || chain.tip.height === 0) return
  const fields = { from, to: HOME_FORMAT }
  logger.info('the home was brought to the format of this version', fields)
}
