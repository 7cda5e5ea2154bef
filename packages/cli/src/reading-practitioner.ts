// A practitioner who reads under a grant: the key file signs here what the node makes of the question.
//
// Whoever signs sees what: a request by this organisation's node, under this grant, for this purpose, and
// nothing else. So a node cannot have another request signed in its place.

import { fromHex, toHex } from '@mooring/codec'
import { sign } from '@mooring/crypto'
import { NodeError } from '@mooring/node/node-error'
import { readPractitionerMessage } from '@mooring/records'
import type { Context } from './context.ts'
import type { GrantFile } from './grant-file.ts'
import { readPractitionerFile } from './practitioner-file.ts'

export interface ReadingPractitioner {
  key: string
  sign(toSign: string): string
}

export async function readingPractitioner(
  context: Context,
  path: string | undefined,
  { grant }: GrantFile,
  purpose: string,
): Promise<ReadingPractitioner | undefined> {
  if (path === undefined) return undefined
  const keyPair = await readPractitionerFile(context, path)
  return {
    key: toHex(keyPair.publicKey),
    sign: (toSign) => {
      const message = fromHex(toSign)
      const request = readPractitionerMessage(message)
      const isAsked =
        request !== undefined &&
        request.grant?.jws === grant.signed.jws &&
        request.purpose === purpose &&
        request.reader === grant.recipient
      if (!isAsked) {
        const detail = 'The node wants something else signed than this reading: it was not signed.'
        throw new NodeError('usage', { detail, command: 'record get ' })
      }
      return toHex(sign(keyPair, message))
    },
  }
}
