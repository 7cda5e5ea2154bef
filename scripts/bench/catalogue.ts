// What `npm run bench` can measure, in the order in which it does.

export interface Entry {
  /** Below `packages`. */
  readonly file: string
  readonly what: string
}

export const CATALOGUE: Readonly<Record<string, Entry>> = {
  consensus: {
    file: 'node/bench/consensus.ts',
    what: 'real processes: finality, throughput, overload',
  },
  'dead-leader': { file: 'node/bench/dead-leader.ts', what: 'one authority of four down' },
  records: { file: 'node/bench/vault.ts', what: 'five processes: sealed, placed, anchored' },
  read: { file: 'node/bench/granted-read.ts', what: 'a record of 4 KiB read under a grant' },
  emergency: {
    file: 'node/bench/emergency.ts',
    what: 'from a card to the summary, one trustee dead',
  },
  start: { file: 'node/bench/start.ts', what: 'from the command to ready; memory of an idle node' },
  sync: { file: 'node/bench/sync.ts', what: 'a node catches up from three peers' },
  state: { file: 'storage/bench/state-tree.ts', what: 'authenticated updates' },
  proof: { file: 'api/bench/proof.ts', what: 'the proof of one record: size, verification' },
  micro: { file: 'node/bench/micro.ts', what: 'signatures, hashes, codec, batch write' },
  'large-record': { file: 'node/bench/large-record.ts', what: '1 GiB sealed, split, opened' },
  api: { file: 'api/bench/submit.ts', what: 'transactions over HTTP' },
  sealing: { file: 'crypto/bench/sealing.ts', what: 'seal, split and rebuild, by size' },
  ledger: { file: 'ledger/bench/apply.ts', what: 'decode, check and apply a block' },
  seal: { file: 'records/bench/seal.ts', what: 'seal, split, rebuild and open records' },
  consent: { file: 'records/bench/consent.ts', what: 'consents read, verified and decided' },
  access: { file: 'records/bench/access.ts', what: 'a holder decides; entries sealed' },
  chain: { file: 'storage/bench/chain.ts', what: 'commit blocks' },
  journal: { file: 'storage/bench/journal.ts', what: 'votes to disk' },
}
