// `access.log`: an organisation puts the root of a batch of access entries on the chain: who has asked
// it for records, sealed to those whose records they are.

import { batchTransaction } from './batch-transaction.ts'
import { accessKey } from './state-keys.ts'

export const accessLog = batchTransaction('accessSequence', accessKey)
