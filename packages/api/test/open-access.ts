/** A node that answers its own computer, as often as it asks. */

import type { AccessControl } from '../src/index.ts'

export const OPEN_ACCESS: AccessControl = {
  open: 'loopback',
  rate: null,
  token: () => ({ refused: 'token_unknown', detail: 'There are no tokens here.' }),
  certificate: () => undefined,
}
