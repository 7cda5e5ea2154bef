// What `npm run bench` can measure, in the order in which it does.

export interface Entry {
  /** From the top of the repository. */
  readonly file: string
  readonly what: string
}

export const CATALOGUE: Readonly<Record<string, Entry>> = {
  consensus: {
    file: 'packages/node/bench/consensus.ts',
    what: 'real processes: finality, throughput, overload',
  },
  'dead-leader': { file: 'packages/node/bench/dead-leader.ts', what: 'one authority of four down' },
  records: {
    file: 'packages/node/bench/vault.ts',
    what: 'five processes: sealed, placed, anchored',
  },
  read: {
    file: 'packages/node/bench/granted-read.ts',
    what: 'a record of 4 KiB read under a grant',
  },
  emergency: {
    file: 'packages/node/bench/emergency.ts',
    what: 'from a card to the summary, one trustee dead',
  },
  start: {
    file: 'packages/node/bench/start.ts',
    what: 'from the command to ready; memory of an idle node',
  },
  restart: {
    file: 'packages/node/bench/restart.ts',
    what: 'a node stopped or killed comes back, by length of its chain',
  },
  sync: { file: 'packages/node/bench/sync.ts', what: 'a node catches up from three peers' },
  snapshot: {
    file: 'packages/node/bench/snapshot.ts',
    what: 'a newcomer joins by a snapshot, by length of the chain',
  },
  state: { file: 'packages/storage/bench/state-tree.ts', what: 'authenticated updates' },
  proof: {
    file: 'packages/api/bench/proof.ts',
    what: 'the proof of one record: size, verification',
  },
  scale: {
    file: 'test/simulation/scale/bench.ts',
    what: 'by simulation: up to 100 authorities and 1,000 nodes',
  },
  micro: { file: 'packages/node/bench/micro.ts', what: 'signatures, hashes, codec, batch write' },
  'large-record': {
    file: 'packages/node/bench/large-record.ts',
    what: '1 GiB sealed, split, opened',
  },
  api: { file: 'packages/api/bench/submit.ts', what: 'transactions over HTTP' },
  sealing: { file: 'packages/crypto/bench/sealing.ts', what: 'seal, split and rebuild, by size' },
  ledger: { file: 'packages/ledger/bench/apply.ts', what: 'decode, check and apply a block' },
  seal: { file: 'packages/records/bench/seal.ts', what: 'seal, split, rebuild and open records' },
  consent: {
    file: 'packages/records/bench/consent.ts',
    what: 'consents read, verified and decided',
  },
  access: { file: 'packages/records/bench/access.ts', what: 'a holder decides; entries sealed' },
  chain: { file: 'packages/storage/bench/chain.ts', what: 'commit blocks' },
  journal: { file: 'packages/storage/bench/journal.ts', what: 'votes to disk' },
}
