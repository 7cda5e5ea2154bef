// A peer under the same load in the same run, at its best for throughput, at its best for latency, and once more
// without its gossip of transactions; and what comes of dividing.
//
// Its store checks no signatures, and ours are checked by every node. The ratio with an equal check is measured
// where somebody has a build of the peer that checks one for each transaction, and estimated otherwise: its CPU
// time for a transaction, and beside it nothing but one verification in each process, as long as ours takes.

import { keyPairFromSeed, sign, verify } from '@mooring/crypto'
import type { Engine, Goal } from '../../../scripts/bench/peers/engine.ts'
import {
  measureRates,
  measureSaturation,
  type Place,
  warmUp,
  withEngine,
} from './bench-consensus.ts'

interface Own {
  readonly perSecond: number
  readonly p50AtRate: Readonly<Record<number, number>>
}

export async function compareWith(
  peer: Engine,
  place: Place,
  { own, note }: { own: Own; note: (line: string) => void },
): Promise<void> {
  const { give, say } = place
  const { authorities } = place.at
  const theirs: Place = { ...place, at: { ...place.at, engine: peer.name }, isFirst: false }
  const fast = await throughputOf(peer, 'throughput', { place: theirs, note })
  const alone = await throughputOf(peer, 'alone', {
    place: { ...theirs, at: { ...theirs.at, engine: `${peer.name}, each alone` } },
    note,
  })
  const checked =
    peer.checking === null
      ? null
      : await throughputOf(peer.checking, 'throughput', {
          place: { ...theirs, at: { ...theirs.at, engine: `${peer.name}, checking` } },
          note,
        })
  say(`${peer.name}, for latency`)
  const { p50AtRate } = await withEngine(peer, { authorities, goal: 'latency' }, (under) => {
    note(`${peer.name} for latency: ${under.running.settings}.`)
    return measureRates(under, theirs)
  })
  const at = { authorities, peer: peer.name }
  give('throughput, ours by theirs', 'x', own.perSecond / fast.perSecond, {
    at,
    target: { atLeast: 2 },
  })
  give('throughput, ours by theirs, each alone', 'x', own.perSecond / alone.perSecond, { at })
  if (checked === null) {
    const verifying = authorities * microsecondsOfVerify()
    const estimated = fast.perSecond * (fast.cpuMicroseconds / (fast.cpuMicroseconds + verifying))
    give(
      'throughput, ours by theirs with an equal check, estimated',
      'x',
      own.perSecond / estimated,
      { at },
    )
  } else {
    give('throughput, ours by theirs with an equal check', 'x', own.perSecond / checked.perSecond, {
      at,
    })
  }
  for (const [rate, p50] of Object.entries(own.p50AtRate)) {
    const target = rate === '100' ? { target: { under: 0.5 } } : {}
    give('final p50, ours by theirs', 'x', p50 / (p50AtRate[Number(rate)] ?? Number.NaN), {
      at: { ...at, rate: Number(rate) },
      ...target,
    })
  }
}

async function throughputOf(
  peer: Engine,
  goal: Goal,
  { place, note }: { place: Place; note: (line: string) => void },
) {
  const { authorities } = place.at
  place.say(`${peer.name}, for ${goal}`)
  return withEngine(peer, { authorities, goal }, async (under) => {
    note(`${String(place.at['engine'])}, for ${goal}: ${under.running.settings}.`)
    await warmUp(under, place)
    return measureSaturation(under, place)
  })
}

const VERIFICATIONS = 2_000

function microsecondsOfVerify(): number {
  const keyPair = keyPairFromSeed(new Uint8Array(32).fill(1))
  const { publicKey } = keyPair
  const message = new Uint8Array(200)
  const signature = sign(keyPair, message)
  for (let index = 0; index < VERIFICATIONS / 10; index += 1) verify(publicKey, message, signature)
  const began = process.cpuUsage()
  for (let index = 0; index < VERIFICATIONS; index += 1) verify(publicKey, message, signature)
  const { user, system } = process.cpuUsage(began)
  return (user + system) / VERIFICATIONS
}
