/**
 * What a node supplies about who may ask it.
 */

import type { AdminCaller } from './admin-access-answers.ts'
import type { ApiCaller } from './caller.ts'

export interface AdminAccessHandlers {
  caller(caller: ApiCaller): AdminCaller
}
