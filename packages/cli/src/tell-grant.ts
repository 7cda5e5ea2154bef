// A grant on its way to others: its offer as a line and as a code, and as a document.

import { toHex } from '@mooring/codec'
import { formatOffer, type Grant } from '@mooring/records'
import type { Context, GlobalOptions } from './context.ts'
import { formatTime, type Output } from './output.ts'
import { isQrWanted, terminalQr } from './qr.ts'

export function grantJson({ grant, height }: { grant: Grant; height: number | null }) {
  const { id, handle, custodian, recipient, purposes, notBefore, expiresAt, signed } = grant
  return {
    id: toHex(id),
    handle: toHex(handle),
    custodian,
    recipient,
    purposes,
    notBefore: formatTime(notBefore),
    expiresAt: formatTime(expiresAt),
    height,
    offer: formatOffer(signed),
  }
}

// The offer is the answer; what it means goes beside it.
export function tellOffer(
  context: Context,
  output: Output,
  options: GlobalOptions & { qr?: boolean },
  grant: Grant,
): void {
  const offer = formatOffer(grant.signed)
  const code = isQrWanted(context, options) ? terminalQr(context, offer) : undefined
  if (code !== undefined) output.text(code)
  output.text(offer)
}
