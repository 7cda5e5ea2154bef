// Texts for what a holder does not take from a custodian, and for why another member could not be asked.

import { type CatalogEntry, entry } from './error-entry.ts'
import type { DepositRefusal, KeyDepositRefusal, MoveRefusal } from './holder-terms.ts'
import type { BatchRefusal } from './holder-batches.ts'
import type { ErasureOrderRefusal } from './holder-erasure.ts'
import type { UploadRefusal } from './holder-uploads.ts'
import type { VaultPeerErrorCode } from './vault-peers.ts'

export type HolderErrorCode =
  | DepositRefusal
  | KeyDepositRefusal
  | BatchRefusal
  | UploadRefusal
  | MoveRefusal
  | ErasureOrderRefusal
  | 'holder_failed'
  | 'not_a_member'

const unfit = (mor: number) => entry(mor, 8, 422)

const REPORT = 'The custodian shows it under:   mooring vault status'
const OWN_NODE = 'A node of this version does not send it: update it, or report it.'

export const HOLDER_TEXTS: Record<HolderErrorCode, CatalogEntry> = {
  holder_full: entry(5450, 11, 507)(
    'A holder has no room for more shards',
    'Its disk would fall below the room that [vault] reserve keeps free.',
    'On that node: give it more room. Its custodians place the shards elsewhere meanwhile.',
  ),
  set_erased: entry(5475, 7, 410)(
    'The record was erased',
    'Its custodian has put a tombstone on the chain, and this holder has deleted its shard for good.',
    'Nothing is to be done: what was erased is kept by nobody.',
  ),
  tombstone_unknown: entry(5476, 7, 409)(
    'A holder does not have the tombstone',
    'It deletes only what a final block says is erased; it may be a little behind.',
    'Wait: the custodian asks again by itself. See who is behind:   mooring status',
  ),
  too_many_marks: entry(5477, 4, 429)(
    'A holder remembers no more restricted records of this custodian',
    'It remembers 20,000 of each; so many restrictions at one custodian are a mistake.',
    'See which there are, and lift those that are not meant:   mooring record erasures',
  ),
  quota_exceeded: entry(5451, 11, 507)(
    'A holder keeps as much for this custodian as it is willing to',
    'What is deposited there has reached [vault] quota of that holder.',
    'Ask its operator to raise it. The shards are placed elsewhere meanwhile.',
  ),
  holder_failed: entry(5452, 1, 500)(
    'A holder could not do what was asked',
    'Its disk refused a read or a write, or it met a fault of its own; its log says which.',
    'On that node: look at its log and its disk.',
  ),
  not_a_member: entry(5453, 5, 403)(
    'Only members are answered',
    'The organisation behind the connection is no member of the network, or no longer.',
    'See who is a member:   mooring member list',
  ),
  not_the_custodian: entry(5454, 5, 403)(
    'A shard was deposited by somebody other than its custodian',
    'A set names its custodian, and only that organisation deposits its shards and keys.',
    OWN_NODE,
  ),
  not_the_holder: entry(5455, 5, 403)(
    'A shard belongs to another holder',
    'The holders that came with it name another organisation for this shard, or one that is still there.',
    REPORT,
  ),
  placement_implausible: unfit(5456)(
    'Holders of a set belong to one owner',
    'Two shards of a set would be with one legal group, or with nobody.',
    OWN_NODE,
  ),
  split_too_weak: unfit(5457)(
    'One holder alone could read a record',
    'A set whose single shard is enough is kept by nobody.',
    OWN_NODE,
  ),
  shard_wrong: unfit(5458)(
    'The bytes are not the shard that the set names',
    'A shard is checked against its set before it is kept.',
    'It is sent again by itself. Where it stays, check the memory of the sending computer.',
  ),
  set_malformed: unfit(5459)(
    'The bytes are no shard set',
    'They do not decode, or do not agree with themselves.',
    OWN_NODE,
  ),
  keys_malformed: unfit(5460)(
    'The bytes are no deposit of class keys',
    'They do not decode.',
    OWN_NODE,
  ),
  batch_malformed: unfit(5466)(
    'The bytes are no leaves of a batch',
    'They do not decode, or do not fill a batch.',
    OWN_NODE,
  ),
  batch_not_anchored: entry(5467, 7, 409)(
    'A batch is not on the chain',
    'Leaves are kept only of a batch whose root their custodian has anchored, in a block that is final at the holder.',
    'They are sent again by themselves, in case the holder is some blocks behind.',
  ),
  index_out_of_range: unfit(5461)(
    'A set has no shard of that number',
    'Shards count from 0, and there are as many as the set says.',
    OWN_NODE,
  ),
  busy: entry(5462, 4, 429)(
    'A holder has enough to do',
    'So many long shards are on their way to it already.',
    'It is tried again by itself.',
  ),
  upload_unknown: entry(5463, 7, 409)(
    'A long shard went on where none was begun',
    'An upload that is left alone for a minute is thrown away, and so is one that a restart met.',
    'It is begun again by itself.',
  ),
  part_out_of_order: entry(5464, 7, 409)(
    'Parts of a long shard came out of order',
    'The next part begins where the last one ended.',
    'It is begun again by itself.',
  ),
  part_missing: entry(5465, 7, 409)(
    'A long shard was ended before it was whole',
    'Not all of its bytes had come.',
    'It is begun again by itself.',
  ),
}

export const PEER_TEXTS: Record<VaultPeerErrorCode, CatalogEntry> = {
  unreachable: entry(5470, 4, 503)(
    'A holder cannot be reached',
    'There is no connection to it, or it broke.',
    'See since when:   mooring vault status',
  ),
  timeout: entry(5471, 4, 504)(
    'A holder did not answer in time',
    'It is connected, and was asked.',
    'See which one is slow:   mooring vault status',
  ),
  busy: entry(5472, 4, 503)(
    'A holder has too many questions waiting',
    'It takes a few of each member at a time.',
    'It is asked again by itself.',
  ),
  refused: entry(5473, 5, 403)(
    'A holder refused',
    'It said no, with a code that its catalogue explains.',
    'Look the code up:   mooring explain <code>',
  ),
  malformed: entry(5474, 4, 502)(
    'A holder answered something else than was asked',
    'Its answer does not decode, or is one to another question.',
    'Update the older of the two nodes; report the holder if both are of one version.',
  ),
}
