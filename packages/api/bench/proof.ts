// The proof of one record as it is given away: npm run bench -- proof
//
// Its size, and what verifying it costs with nothing but the genesis digest: with the libraries of Node, and with
// those that a browser loads (in Node's engine, which is that of Chromium). Each backend is measured in a process of
// its own, which knows nothing of the other: packages/api/bench/verify-proof.ts.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { deflateRawSync } from 'node:zlib'
import { toHex } from '@mooring/codec'
import { quantile } from '../../../scripts/bench/figures.ts'
import { type Give, runBench } from '../../../scripts/bench/program.ts'
import { documentOf, prove } from '../test/proof-world.ts'
import type { Asked, Answered } from './verify-proof.ts'

const VERIFIER = fileURLToPath(new URL('./verify-proof.ts', import.meta.url))
const BYTES_MAX = 4_096

const BACKENDS = [
  { backend: 'Node', flags: [], under: 5 },
  { backend: 'browser', flags: ['--conditions=browser'], under: 60 },
]

await runBench({
  name: 'proof',
  what: 'the proof of one record: its size, and what verifying costs',
  options: { records: 64, transactions: 2_000, rounds: 200 },
  quick: { transactions: 20, rounds: 10 },
  run: async ({ options: { records, transactions, rounds }, give, note }) => {
    const { digest, raw, record } = prove({ records, transactions })
    const document = documentOf(record)
    const bytes = new TextEncoder().encode(document)
    const at = { records, transactions }
    give('bytes of JSON', 'B', bytes.length, { at, target: { under: BYTES_MAX } })
    give('bytes deflated', 'B', deflateRawSync(bytes).length, { at })
    const asked: Asked = {
      document,
      file: toHex(raw),
      genesisDigest: toHex(digest),
      rounds,
    }
    for (const backend of BACKENDS) await measure(asked, backend, give)
    note('Four authorities, three signatures; the batch and the block are full of others.')
  },
})

async function measure(
  asked: Asked,
  { backend, flags, under }: (typeof BACKENDS)[number],
  give: Give,
): Promise<void> {
  const child = spawn(process.execPath, [...flags, VERIFIER], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  child.stdin.end(JSON.stringify(asked))
  const { first, others }: Answered = JSON.parse(await text(child.stdout))
  await ended
  const ascending = others.toSorted((a, b) => a - b)
  const at = { backend }
  give('verified, p50', 'ms', quantile(ascending, 0.5), { at, target: { under } })
  give('verified, p95', 'ms', quantile(ascending, 0.95), { at })
  give('verified by a program that just started', 'ms', first, { at })
}
