/**
 * Calls about who may ask a node.
 */

import type { AdminCaller } from './admin-access-answers.ts'
import type { Http } from './client.ts'

export function adminAccessCalls({ read }: Http) {
  return {
    caller: () => read<AdminCaller>('/v1/admin/caller'),
  }
}
