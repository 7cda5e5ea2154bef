// `record.anchor`: an organisation puts the root of a batch of record commitments on the chain.

import { batchTransaction } from './batch-transaction.ts'
import { anchorKey } from './state-keys.ts'

export const recordAnchor = batchTransaction('anchorSequence', anchorKey)
