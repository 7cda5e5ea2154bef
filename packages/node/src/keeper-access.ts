// What the keeper gives to who reads, and to the custodian's side of a question, of what it was given.

import { blockDigest, decodeHeader } from '@mooring/ledger'
import type { AccessModules } from './access-session.ts'
import type { CatalogueModules } from './catalogue.ts'
import type { KeeperModules, KeeperOptions } from './vault-keeper.ts'

/** So many blocks behind our tip: who is a little behind knows that one too. */
const BLOCKS_BACK = 2

export function accessModules(
  { self, anchorKey }: KeeperOptions,
  { clock, peers, random, members, chain, notes, nextSequence }: KeeperModules,
): AccessModules {
  return {
    self,
    anchorKey,
    clock,
    peers,
    random,
    recentBlock: () => {
      const height = Math.max(0, chain.tip.height - BLOCKS_BACK)
      const header = chain.getHeader(height)
      const at = header === undefined ? chain.tip : { height, digest: digestOf(header) }
      return { height: at.height, digest: at.digest }
    },
    memberOf: (organisation) => {
      const member = members.organisations.find(({ id }) => id === organisation)
      return member && { anchorKey: member.keys.anchor, legalGroup: member.legalGroup }
    },
    nextSequence,
    keepEntry: async (entry, { request }) => {
      if (request.sets.length === 0) await notes.noteQuery(request, entry)
      else await notes.noteRead(request, entry)
    },
  }
}

export function catalogueModules(
  { self }: KeeperOptions,
  modules: KeeperModules,
): CatalogueModules {
  const { clock, accounts, index, placesOf, members, chain, notes, facts, grants, random } = modules
  const { isRestricted } = modules
  const memberOf = (organisation: string) =>
    members.organisations.find(({ id }) => id === organisation)
  return {
    self,
    clock,
    accounts,
    index,
    placesOf,
    facts,
    grants,
    random,
    isRestricted,
    sealKeyOf: (organisation) => memberOf(organisation)?.keys.seal,
    anchorKeyOf: (organisation) => memberOf(organisation)?.keys.anchor,
    tip: () => chain.tip.height,
    blockDigestAt: (height) => {
      const header = chain.getHeader(height)
      return header && digestOf(header)
    },
    noteQuery: (request, entry) => notes.noteQuery(request, entry),
    noteRefusal: (refusal) => notes.noteRefusal(refusal),
  }
}

function digestOf(header: Uint8Array): Uint8Array {
  return blockDigest(decodeHeader(header))
}
