// Every document that a command prints with `--json`, by the name that it has in `schema`. A name stands
// for one form: what is added to a document is optional, what changes gets the next number.

import { ADMISSION_SCHEMAS } from './admission.ts'
import { CHAOS_SCHEMAS } from './chaos.ts'
import { DATA_SCHEMAS } from './data.ts'
import type { DocumentSchema } from './forms.ts'
import { KEY_SCHEMAS } from './keys.ts'
import { NODE_SCHEMAS } from './node.ts'
import { OPERATE_SCHEMAS } from './operate.ts'
import { PATIENT_SCHEMAS } from './patients.ts'
import { SEEING_SCHEMAS } from './seeing.ts'
import { RECORD_SCHEMAS } from './records.ts'

const SCHEMAS = {
  ...KEY_SCHEMAS,
  ...NODE_SCHEMAS,
  ...RECORD_SCHEMAS,
  ...PATIENT_SCHEMAS,
  ...OPERATE_SCHEMAS,
  ...CHAOS_SCHEMAS,
  ...ADMISSION_SCHEMAS,
  ...DATA_SCHEMAS,
  ...SEEING_SCHEMAS,
}

export type SchemaName = keyof typeof SCHEMAS

export const DOCUMENT_SCHEMAS: Readonly<Record<string, DocumentSchema>> = SCHEMAS
