/**
 * Answers about who may ask this node.
 */

import { named, text } from './answer-forms.ts'
import type { Static } from './schema.ts'

export const AdminCaller = named('AdminCaller', 'Who asked.', {
  name: text('Who the node takes the caller for.'),
  role: text('The role that this gives.'),
})
export type AdminCaller = Static<typeof AdminCaller>
