// A member and a proposal, as a node would tell of them.

import type { Change, Epoch, Member } from '../src/membership-answers.ts'

export const MEMBER: Member = {
  id: 'st-mary',
  name: "St Mary's",
  legalGroup: 'a',
  roles: ['authority'],
  peerId: '12D3KooWtest',
  keys: { governance: '0'.repeat(64), issuer: null },
  authority: 0,
  sinceEpoch: 0,
  connected: true,
  height: 3,
}

export const CHANGE: Change = {
  id: 'c4'.repeat(32),
  kind: 'role',
  status: 'open',
  proposer: 'st-mary',
  organisation: 'hillside',
  summary: 'hillside becomes an authority',
  reason: 'it has followed for a month',
  details: { role: 'authority' },
  expiresAt: '2026-11-27T09:30:00.000Z',
  height: null,
  approvals: ['st-mary'],
  approvalsNeeded: 3,
  acks: [],
  acksNeeded: 4,
  acksRequired: ['hillside'],
  effect: {
    authorities: ['st-mary', 'riverside', 'lakeview', 'county', 'hillside'],
    authoritiesBefore: 4,
    authoritiesAfter: 5,
    quorumBefore: 3,
    quorumAfter: 4,
    toleratesAfter: 1,
  },
}

export const EPOCH: Epoch = {
  epoch: 0,
  firstHeight: 1,
  lastHeight: null,
  authorities: ['st-mary', 'riverside', 'lakeview', 'county'],
  quorum: 3,
  endedBy: null,
}
