// Every metric of a node, by area: what no area declares does not exist, and what is declared is
// filled. Labels are bounded: `peer`, `holder` and `authority` are names of members, the rest are fixed
// words; nothing of a person, a record or a grant is ever among them.

import { collectDefaultMetrics, Registry } from 'prom-client'
import { declareChain, declareMempool, declareSync } from './metrics-chain.ts'
import { declareConsensus, declareCrypto } from './metrics-consensus.ts'
import { type CatalogueEntry, Declaration } from './metrics-declaration.ts'
import { declareHttp, declareRecords } from './metrics-doors.ts'
import { declareNetwork } from './metrics-network.ts'
import { declareNode, declareStorage } from './metrics-node.ts'
import { declareVault } from './metrics-vault.ts'

function declareAll(to: Declaration) {
  return {
    ...declareNode(to),
    ...declareStorage(to),
    ...declareChain(to),
    ...declareSync(to),
    ...declareMempool(to),
    ...declareConsensus(to),
    ...declareCrypto(to),
    ...declareRecords(to),
    ...declareHttp(to),
    ...declareNetwork(to),
    ...declareVault(to),
  }
}

export type Metrics = ReturnType<typeof declareAll> & {
  // Runs before every scrape, for gauges that are cheaper to read than to keep up to date.
  beforeScrape(refresh: () => void): void
  // What a scrape answers.
  text(): Promise<string>
  contentType: string
  /** What this node declares; those of the process, which every Node program has, are not among it. */
  catalogue(): readonly CatalogueEntry[]
  /** Every name that a scrape can show, those of the process included. */
  names(): readonly { name: string; type: string }[]
  close(): void
}

export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const declaration = new Declaration(registry)
  const refreshers: (() => void)[] = []
  return {
    ...declareAll(declaration),
    beforeScrape: (refresh) => {
      refreshers.push(refresh)
    },
    text: () => {
      for (const refresh of refreshers) refresh()
      return registry.metrics()
    },
    contentType: registry.contentType,
    catalogue: () => declaration.catalogue,
    names: () =>
      registry.getMetricsAsArray().map(({ name, type }) => ({ name, type: String(type) })),
    close: () => registry.clear(),
  }
}
