// Freezes what records seals, derives and encodes today. Running it anew is a decision about the format of
// every network, to be named in the commit: npx node packages/records/test/write-vectors.ts

import { writeFileSync } from 'node:fs'
import { grantVectors } from './grant-vectors.ts'
import { patientVectors } from './patient-vectors.ts'
import { vectorFolder, vectors } from './vectors.ts'

const all = {
  ...vectors,
  'records-grants.json': grantVectors,
  'records-patients.json': patientVectors,
}
for (const [name, vector] of Object.entries(all)) {
  writeFileSync(new URL(name, vectorFolder), `${JSON.stringify(vector, null, 2)}\n`)
}
