// From the scan of a card to the summary, over the loopback, with one trustee dead.
//
//   npm run bench -- emergency [--openings 25]
//
// Five processes, two shares of five. One trustee is killed before anything is measured. An opening is all of it:
// the credential is shown, members say where the set is, emergency.open is final, trustees give shares, the
// set is put together and opened. A network takes thirty openings an hour of one hospital, so no more are made.

import { decode, toHex } from '@mooring/codec'
import { decodeBase64url, type KeyPair, keyPairFromSeed, x25519PublicKey } from '@mooring/crypto'
import {
  emergencyAudience,
  emergencyHeaderSchema,
  emergencyNonce,
  locatorIdOf,
  openEmergencySet,
  parseCard,
  presentCredential,
  readSummary,
} from '@mooring/records'
import { randomSeed } from '../src/keys.ts'
import { quantile } from '../../../scripts/bench/figures.ts'
import { type Give, runBench } from '../../../scripts/bench/program.ts'
import { type BenchNetwork, type BenchNode, startBenchNetwork } from './bench-network.ts'

const PATIENT = 'Patient/bench'
const allergy = {
  resourceType: 'AllergyIntolerance',
  patient: { reference: PATIENT },
  code: { text: 'Penicillin' },
}

async function cardFrom(home: BenchNode): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(allergy))
  await home.client.submitRecords(bytes, { contentType: 'application/fhir+json', waitMs: 60_000 })
  return (await home.client.depositHostedEmergencySet({ patient: PATIENT })).card
}

async function credentialFrom({ client }: BenchNode, { publicKey }: KeyPair): Promise<string> {
  const { credential } = await client.issueCredential({
    key: toHex(publicKey),
    role: 'physician',
    name: 'Bench',
    licence: '1',
    btg: true,
    expiresAt: Date.now() + 3_600_000,
  })
  return credential
}

interface Opening {
  opener: BenchNode
  card: string
  credential: string
  keyPair: KeyPair
  network: Uint8Array
}

async function open({ opener, card, credential, keyPair, network }: Opening): Promise<number> {
  const began = performance.now()
  const { locator } = parseCard(card)
  const readerSecret = randomSeed()
  const question = {
    requestId: randomSeed(),
    organisation: opener.name,
    locatorId: locatorIdOf(locator),
    reason: 'unconscious',
    readerKey: x25519PublicKey(readerSecret),
  }
  const { requestId, locatorId, readerKey, reason } = question
  const audience = emergencyAudience(network)
  const nonce = emergencyNonce(question)
  const shown = presentCredential(credential, { keyPair, audience, nonce, now: Date.now() })
  const { shares } = await opener.client.openEmergency({
    requestId: toHex(requestId),
    locatorId: toHex(locatorId),
    readerKey: toHex(readerKey),
    reason,
    presentation: shown,
  })
  const answers = shares.map(({ organisation, header, ciphertext, share }) => ({
    organisation,
    header: decode(emergencyHeaderSchema, decodeBase64url(header)),
    ciphertext: decodeBase64url(ciphertext),
    share: decodeBase64url(share),
  }))
  const opened = openEmergencySet(answers, { locator, requestId, readerSecret })
  if (!opened.ok) throw new Error(`the set did not open: ${opened.code}`)
  const lines = readSummary(opened.content).flatMap((section) => section.lines)
  if (!lines.includes('Penicillin')) throw new Error('the summary lacks the allergy')
  return performance.now() - began
}

await runBench({
  name: 'emergency',
  what: 'from a card to the summary, one trustee dead',
  options: { openings: 25 },
  quick: { openings: 2 },
  run: async ({ options, give }) => {
    const network = await startBenchNetwork(5)
    try {
      giveTimes(await timesOf(network, options.openings), give)
    } finally {
      await network.close()
    }
  },
})

/** In milliseconds, one after the other. */
async function timesOf({ nodes, devnet }: BenchNetwork, openings: number): Promise<number[]> {
  const [home, dead, opener] = nodes
  if (home === undefined || dead === undefined || opener === undefined) {
    throw new Error('too few nodes')
  }
  const card = await cardFrom(home)
  const keyPair = keyPairFromSeed(randomSeed())
  const credential = await credentialFrom(opener, keyPair)
  const gone = new Promise((resolve) => dead.process.once('exit', resolve))
  dead.process.kill('SIGKILL')
  await gone
  const times: number[] = []
  for (let count = 0; count < openings; count += 1) {
    times.push(await open({ opener, card, credential, keyPair, network: devnet.genesisDigest }))
  }
  return times
}

function giveTimes(times: readonly number[], give: Give): void {
  const ascending = times.toSorted((a, b) => a - b)
  give('first', 'ms', times[0] ?? Number.NaN)
  give('p50', 'ms', quantile(ascending, 0.5))
  give('p95', 'ms', quantile(ascending, 0.95))
  give('longest', 'ms', quantile(ascending, 1))
}
