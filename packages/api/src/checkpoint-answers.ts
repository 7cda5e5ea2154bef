/**
 * A final block as what two hospitals compare, and what anybody can keep.
 */

import { count, digest, named, text, time } from './answer-forms.ts'
import { type Static, Type } from './schema.ts'

const hex = (description: string) => Type.String({ pattern: '^([0-9a-f]{2})+$', description })

export const Checkpoint = named('Checkpoint', 'A block and the certificate that made it final.', {
  networkId: text('Network id.'),
  genesisDigest: digest('Of the network.'),
  height: count('Of the block.'),
  epoch: count('In which it was agreed on.'),
  digest: digest('Of the block; all that came before follows from it.'),
  stateRoot: digest('Of the state after it.'),
  time: time('Of the block.'),
  header: hex('The header, encoded: its hash is the digest.'),
  finalization: hex('The certificate, encoded.'),
  signers: Type.Array(Type.String(), { description: 'Whose votes it holds.' }),
})
export type Checkpoint = Static<typeof Checkpoint>
