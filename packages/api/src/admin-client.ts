/**
 * Calls that administer a node, by area; most nodes answer them on their admin socket only.
 */

import { adminAccessCalls } from './admin-access-client.ts'
import { adminPeersCalls } from './admin-peers-client.ts'
import { adminSeeingCalls } from './admin-seeing-client.ts'
import { adminDataCalls } from './admin-data-client.ts'
import type { Http } from './client.ts'

export function adminCalls(http: Http) {
  return {
    access: adminAccessCalls(http),
    peers: adminPeersCalls(http),
    seeing: adminSeeingCalls(http),
    data: adminDataCalls(http),
  }
}
