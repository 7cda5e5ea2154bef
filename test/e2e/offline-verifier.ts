// A person who trusts no node: a process that has a genesis file and gets proofs and records, nothing
// else. One JSON line in, one JSON line out; ends with its stdin. It checks what `mooring proof verify`
// checks, thousands of times in one process.
//
//   node test/e2e/offline-verifier.ts <genesis.json>

import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { genesisDigest, parseGenesisJson } from '@mooring/ledger'
import { verifyProof } from '@mooring/api/verify'

const [genesisFile] = process.argv.slice(2)
if (genesisFile === undefined) throw new Error('name the genesis file')
const digest = genesisDigest(parseGenesisJson(readFileSync(genesisFile, 'utf8')))

for await (const line of createInterface({ input: process.stdin })) {
  const { proof, record }: { proof: string; record: string } = JSON.parse(line)
  const bytes = new Uint8Array(Buffer.from(record, 'base64'))
  process.stdout.write(`${JSON.stringify(verifyProof(proof, { genesisDigest: digest }, bytes))}\n`)
}
