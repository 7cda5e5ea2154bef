// The program of a hospital that misbehaves on purpose: `node misbehave.ts <behaviour> <words>` is what
// `mooring <words>` is, but for what its node says to the others. `devnet byzantine` starts it.

import { BEHAVIOURS } from '@mooring/node/behaviours'
import { startNode } from '@mooring/node/node'
import { misbehave } from '@mooring/node/rehearsal'
import { runProcess } from '../process.ts'

const [word, ...words] = process.argv.slice(2)
const behaviour = BEHAVIOURS.find((each) => each === word)
if (behaviour === undefined) throw new TypeError(`one of ${BEHAVIOURS.join(', ')}, not ${word}`)

await runProcess(
  (options, how) => startNode(options, { ...how, network: misbehave(behaviour, options) }),
  words,
)
