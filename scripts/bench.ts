/*
 * Figures on this computer, one benchmark after the other:
 *
 *   npm run bench                      all of them
 *   npm run bench -- consensus api     some
 *   npm run bench -- --json consensus  what the benchmark prints for programs
 *
 * Each is a program of its own beside the package it measures. Nothing is asserted here: a figure is
 * to be read, and a busy computer gives other figures.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const BENCHES: Record<string, { file: string; what: string }> = {
  consensus: { file: 'node/bench/consensus.ts', what: 'four processes: finality, throughput, CPU' },
  'dead-leader': { file: 'node/bench/dead-leader.ts', what: 'one authority of four down' },
  sync: { file: 'node/bench/sync.ts', what: 'a node catches up from three peers' },
  vault: { file: 'node/bench/vault.ts', what: 'five processes: records sealed, placed, anchored' },
  'granted-read': {
    file: 'node/bench/granted-read.ts',
    what: 'a record of 4 KiB read under a grant',
  },
  emergency: {
    file: 'node/bench/emergency.ts',
    what: 'from a card to the summary, one trustee dead',
  },
  'large-record': { file: 'node/bench/large-record.ts', what: '1 GiB sealed, split, opened' },
  api: { file: 'api/bench/submit.ts', what: 'transactions over HTTP' },
  sealing: { file: 'crypto/bench/sealing.ts', what: 'seal, split and rebuild, by size' },
  ledger: { file: 'ledger/bench/apply.ts', what: 'decode, check and apply a block' },
  records: { file: 'records/bench/seal.ts', what: 'seal, split, rebuild and open records' },
  consent: { file: 'records/bench/consent.ts', what: 'consents read, verified and decided' },
  access: { file: 'records/bench/access.ts', what: 'a holder decides; entries sealed' },
  chain: { file: 'storage/bench/chain.ts', what: 'commit blocks' },
  journal: { file: 'storage/bench/journal.ts', what: 'votes to disk' },
  state: { file: 'storage/bench/state-tree.ts', what: 'authenticated updates' },
}

const asked = process.argv.slice(2)
const names = asked.filter((word) => !word.startsWith('-'))
const flags = asked.filter((word) => word.startsWith('-'))
const unknown = names.filter((name) => BENCHES[name] === undefined)
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(', ')}; there are: ${Object.keys(BENCHES).join(', ')}`)
  process.exit(2)
}

let failed = 0
for (const name of names.length > 0 ? names : Object.keys(BENCHES)) {
  const bench = BENCHES[name]
  if (bench === undefined) continue
  const file = fileURLToPath(new URL(`../packages/${bench.file}`, import.meta.url))
  if (!flags.includes('--json')) console.log(`\n== ${name}: ${bench.what}`)
  const child = spawn(process.execPath, [file, ...flags], { stdio: 'inherit' })
  const code = await new Promise((resolve) => child.once('exit', resolve))
  if (code !== 0) failed += 1
}
process.exitCode = failed === 0 ? 0 : 1
