// Records through a node and out again: kept byte for byte, final in the chain, and provable to somebody
// who has the genesis, the proof and the record, and asks nobody. prove-shared-data.ts does the same
// with every file there is.

import assert from 'node:assert/strict'
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import { acknowledge, type Devnet, type DevnetNode, nodeAt, startDevnet } from './devnet.ts'
import { anchorHeights, type KeptRecord, proveRecords, submitAll } from './proving.ts'
import { HAS_SHARED_DATA, readShared, sharedSources, sourceOf } from './sources.ts'
import { startVerifier } from './verifier.ts'

const starting = startDevnet()

// Whole patients: a third of the files, and of their records the proof of each eighth.
const FILES_STEP = 3
const PROOFS_STEP = 8

test('records of whole patients are final, kept byte for byte and proven offline', async () => {
  const devnet = await starting
  const node = nodeAt(devnet, 0)
  const sources = sharedSources(['synthea-2019-r4', 'synthea-2021-r4'], 12).filter(
    (_, index) => index % FILES_STEP === 0,
  )
  const submitting = performance.now()
  const records = await submitAll(node.client, sources)
  const heights = await anchorHeights(node.client)
  const seconds = (performance.now() - submitting) / 1_000
  assert.equal(heights.size, records.length)
  await acknowledge(devnet, node, records)
  const proving = performance.now()
  const proofs = await prove(devnet, records, { heights, node, step: PROOFS_STEP })
  const rate = proofs / ((performance.now() - proving) / 1_000)
  process.stdout.write(
    `READY in ${devnet.readySeconds.toFixed(1)} s; ${records.length} records final in ` +
      `${seconds.toFixed(1)} s; ${proofs} proofs, ${rate.toFixed(0)} a second\n`,
  )
})

test('every official example that can be taken survives to the last byte and digit', async () => {
  const devnet = await starting
  const node = nodeAt(devnet, 1)
  const sources = sharedSources(['hl7-r4-examples', 'hl7-r5-examples'], 4)
  const records = await submitAll(node.client, sources)
  const heights = await anchorHeights(node.client)
  const proofs = await prove(devnet, records, { heights, node, step: 1 })
  process.stdout.write(`${proofs} proofs for ${sources.length} files of official examples\n`)
})

test('the command proves a record with the network stopped, and one changed byte fails', async () => {
  const devnet = await starting
  const file = join(devnet.folder, 'observation.json')
  await writeFile(file, decimalsFile())
  const { stdout } = await devnet.succeed(['record', 'submit', file, '--json'])
  const { items }: Submissions = JSON.parse(stdout)
  const id = items[0]?.records[0]?.id ?? ''
  const got = await devnet.succeed(['record', 'get', id])
  assert.deepEqual(got.bytes, sourceOf('decimals', decimalsFile()).records[0])
  await devnet.succeed(['proof', 'get', id, '-o', 'proof.json'])
  await devnet.succeed('devnet down')

  const desk = join(devnet.folder, 'desk')
  await mkdir(desk)
  await copyFile(devnet.genesisFile, join(desk, 'genesis.json'))
  await copyFile(join(devnet.folder, 'proof.json'), join(desk, 'proof.json'))
  await writeFile(join(desk, 'record.json'), got.bytes)
  const verify = (record: string, proof = 'proof.json') => {
    const files = [join(desk, proof), '--file', join(desk, record)]
    const genesis = ['--genesis', join(desk, 'genesis.json')]
    return devnet.run(['proof', 'verify', ...files, ...genesis, '--steps'])
  }

  const good = await verify('record.json')
  assert.equal(good.code, 0, good.stderr)
  assert.match(good.stdout, /^VERIFIED {2}record was final in block \d+ on /m)
  assert.match(good.stdout, /3 of 4 authorities/)
  assert.doesNotMatch(good.stdout, /FAILED/)

  const altered = Uint8Array.from(got.bytes)
  altered[altered.length >> 1] = (altered[altered.length >> 1] ?? 0) ^ 1
  await writeFile(join(desk, 'altered.json'), altered)
  const bad = await verify('altered.json')
  assert.equal(bad.code, 8)
  assert.equal(bad.stdout, '')
  assert.match(bad.stderr, /The proof does not hold \(MOR-5001\)[^]*Step 1, raw commitment: /i)

  const proof = await readFile(join(desk, 'proof.json'), 'utf8')
  await writeFile(join(desk, 'proof-altered.json'), alterRoot(proof))
  const forged = await verify('record.json', 'proof-altered.json')
  assert.equal(forged.code, 8)
  assert.match(forged.stderr, /Step 3, batch path: /i)
})

test('it stops and leaves nothing behind', async () => {
  const devnet = await starting
  await devnet.close()
})

async function prove(
  devnet: Devnet,
  records: readonly KeptRecord[],
  from: { heights: ReadonlyMap<string, number>; node: DevnetNode; step: number },
): Promise<number> {
  const verifier = startVerifier(devnet.genesisFile, devnet.folder)
  try {
    const { heights, node, step } = from
    return await proveRecords(records, heights, node.client, { verifier, step })
  } finally {
    await verifier.close()
  }
}

type Submissions = { items: { records: { id: string }[] }[] }

// Decimals that a reader who takes numbers for numbers destroys.
function decimalsFile(): Uint8Array {
  if (HAS_SHARED_DATA) return readShared('hl7-r5-examples/observation-decimal.json')
  const value = '"valueQuantity":{"value":1.00,"code":"mm"},"component":[1e-24,1.0E+2]'
  return new TextEncoder().encode(`{"resourceType":"Observation","status":"final",${value}}\n`)
}

// One digit of the batch root in a proof file, which is hexadecimal or base64url text.
function alterRoot(proof: string): string {
  const { batch }: { batch: { root: string } } = JSON.parse(proof)
  const other = batch.root.startsWith('0') ? '1' : '0'
  return proof.replace(batch.root, `${other}${batch.root.slice(1)}`)
}

test.run()
