/*
 * Agreement among real processes on this computer, with transactions that are signed one by one:
 *
 *   npm run bench -- consensus [--authorities 4,7] [--seconds 10] [--transactions 24000] [--window 2000]
 *   npm run bench -- consensus --vs cometbft [--cometbft <path>]   a peer, in the same run
 *     [--checking <path>]   a build of it whose store checks a signature of each transaction in every process;
 *                           cometbft-checking on the PATH, if it is there
 *     [--tune mempool.size=5000,...]   settings of it beyond those that are known to be good
 *
 * The clients are one process more, on the same cores, whose cost is told apart. Latency runs from the moment
 * at which a transaction was due, at a fixed rate, until the node's event stream says that it is final.
 * Saturation: so many wait at each node all the time. Overload: twice what was committed then is due every
 * second, whatever is taken; what is not taken is offered again.
 */
import {
  measureLoads,
  measureRates,
  measureSaturation,
  type Place,
  withEngine,
} from './bench-consensus.ts'
import { runBench } from '../../../scripts/bench/program.ts'
import { peersNamed } from '../../../scripts/bench/peers/engines.ts'
import { mooring } from '../../../scripts/bench/peers/mooring.ts'
import { compareWith } from './bench-peer.ts'

await runBench({
  name: 'consensus',
  what: 'real processes: finality, throughput, overload',
  options: {
    authorities: '4,7',
    seconds: 10,
    transactions: 24_000,
    window: 2_000,
    rates: '1,100,1000',
    loads: '0.25,0.5,0.75,1,1.5,2',
    vs: '',
    cometbft: '',
    checking: '',
    tune: '',
  },
  quick: { authorities: '4', seconds: 1, transactions: 800, window: 200, rates: '100', loads: '2' },
  run: async ({ options, give, note, say }) => {
    const peers = peersNamed(options)
    for (const authorities of options.authorities.split(',').map(Number)) {
      const isFirst = authorities === Number(options.authorities.split(',')[0])
      const place: Place = { at: { authorities }, give, say, options, isFirst }
      const peak = await withEngine(mooring, { authorities, goal: 'throughput' }, async (under) => {
        note(`mooring: ${under.running.settings}.`)
        const rates = await measureRates(under, place)
        const saturation = await measureSaturation(under, place)
        if (isFirst) await measureLoads(under, place, saturation.perSecond)
        return { ...rates, ...saturation }
      })
      if (!isFirst) continue
      for (const peer of peers) await compareWith(peer, place, { own: peak, note })
    }
  },
})
