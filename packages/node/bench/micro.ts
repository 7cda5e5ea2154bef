// What a transaction is made of: a signature, hashes, the codec, a place on the disk. CPU time of this process, so
// that a busy computer gives the same figures; what a disk does is in the time of the clock.
//
//   npm run bench -- micro

import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keyPairFromSeed, merkleRoot, sha256, sign, verify, verifyBatch } from '@mooring/crypto'
import { createTransaction, decodeTransaction } from '@mooring/ledger'
import { openDatabase } from '@mooring/storage'
import { quantile } from '../../../scripts/bench/figures.ts'
import { type Give, runBench } from '../../../scripts/bench/program.ts'

const COUNT = 1_000
const VALUE_BYTES = 300
const GENESIS = new Uint8Array(32).fill(7)

const keyPair = keyPairFromSeed(new Uint8Array(32).fill(1))
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))

await runBench({
  name: 'micro',
  what: 'signatures, hashes, codec, batch write: what a transaction is made of',
  options: { cpuMs: 500, rounds: 50 },
  quick: { cpuMs: 20, rounds: 3 },
  run: async ({ options, give }) => {
    measureSteps(options.cpuMs, give)
    await measureWrites(options.rounds, give)
  },
})

function measureSteps(cpuMs: number, give: Give): void {
  const transaction = anchorAt(1)
  const many = Array.from({ length: COUNT }, (_, index) => anchorAt(index + 1))
  const signed = many.map((message) => ({
    publicKey: keyPair.publicKey,
    message,
    signature: sign(keyPair, message),
  }))
  const [first] = signed
  if (first === undefined) throw new RangeError('nothing was signed')
  const { publicKey, message, signature } = first
  const time = (what: string, share: number, run: () => unknown) =>
    give(what, 'µs', microsecondsOf(cpuMs, share === 1 ? 100 : 1, run) / share)
  give('a transaction', 'B', transaction.length)
  time('sign', 1, () => sign(keyPair, message))
  time('verify', 1, () => verify(publicKey, message, signature))
  time('verify, in a batch of 1,000', COUNT, () => verifyBatch(signed))
  time('SHA-256 of a transaction', 1, () => sha256(transaction))
  time('Merkle root of 1,000, for each', COUNT, () => merkleRoot(many))
  time('encode and sign', 1, () => anchorAt(1))
  time('decode', 1, () => decodeTransaction(transaction, GENESIS))
}

async function measureWrites(rounds: number, give: Give): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-bench-'))
  try {
    const database = await openDatabase(join(folder, 'chain'), { name: 'chain' })
    for (const sync of [false, true]) {
      const times: number[] = []
      for (let round = 0; round < rounds; round += 1) {
        const batch = Array.from({ length: COUNT }, () => ({
          type: 'put' as const,
          key: random(33),
          value: random(VALUE_BYTES),
        }))
        const began = performance.now()
        await database.batch(batch, { sync })
        times.push(((performance.now() - began) * 1_000) / COUNT)
      }
      const ascending = times.toSorted((a, b) => a - b)
      give(
        `batch write of 1,000${sync ? ', synced' : ''}, for each`,
        'µs',
        quantile(ascending, 0.5),
      )
    }
    await database.close()
  } finally {
    await rm(folder, { recursive: true })
  }
}

function anchorAt(sequence: number): Uint8Array {
  return createTransaction({
    genesisDigest: GENESIS,
    keyPair,
    kind: 'record.anchor',
    expiresAt: 1_800_000_000_000,
    body: { organisation: 'hospital-0', sequence, batchRoot: GENESIS, sizeBucket: 16 },
  })
}

function cpuMicros(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** Asking for the time costs as much as a hash, so it is not asked after each. */
function microsecondsOf(cpuMs: number, each: number, run: () => unknown): number {
  for (let count = 0; count < 3; count += 1) run()
  const start = cpuMicros()
  let count = 0
  while (cpuMicros() - start < cpuMs * 1_000) {
    for (let again = 0; again < each; again += 1) run()
    count += each
  }
  return (cpuMicros() - start) / count
}
