// Every readable file of the shared data, through one node of a devnet, to a proof of each record that
// is checked offline. Run by hand, prints what it took:
//
//   npx node test/e2e/prove-shared-data.ts [folder of ../shared/data/fhir ...]

import { acknowledge, nodeAt, startDevnet } from './devnet.ts'
import { anchorHeights, proveRecords, submitAll } from './proving.ts'
import { sharedFolders, sharedSources } from './sources.ts'
import { startVerifier } from './verifier.ts'

const PATIENTS = 30
const CHECK_MS = 300_000

const folders = process.argv.slice(2)
const sources = sharedSources(folders.length > 0 ? folders : sharedFolders(), PATIENTS)
const megabytes = sources.reduce((sum, { bytes }) => sum + bytes.length, 0) / 1e6

// "1200 records in 3.1 s, 387/s"
function figure(what: string, count: number, since: number): string {
  const seconds = (performance.now() - since) / 1_000
  return `${count} ${what} in ${seconds.toFixed(1)} s, ${(count / seconds).toFixed(0)}/s`
}

const devnet = await startDevnet()
const verifier = startVerifier(devnet.genesisFile, devnet.folder)
try {
  const node = nodeAt(devnet, 0)
  console.log(`READY after ${devnet.readySeconds.toFixed(1)} s`)
  console.log(`${sources.length} files, ${megabytes.toFixed(1)} MB`)

  const submitting = performance.now()
  const records = await submitAll(node.client, sources)
  await acknowledge(devnet, node, records)
  console.log(figure('records accepted', records.length, submitting))
  const heights = await anchorHeights(node.client)
  console.log(figure('records accepted and final', heights.size, submitting))
  console.log(`${new Set(heights.values()).size} blocks with anchors`)

  const proving = performance.now()
  const proofs = await proveRecords(records, heights, node.client, { verifier })
  console.log(figure('proofs fetched and verified offline', proofs, proving))
  console.log((await devnet.succeed('devnet check', { timeoutMs: CHECK_MS })).stdout)
} finally {
  await verifier.close()
  await devnet.close()
}
