// Texts for founding a network and for joining one by its bundle.

import { type CatalogEntry, entry } from './error-entry.ts'

export type FoundingErrorCode =
  | 'founding_file_invalid'
  | 'founding_refused'
  | 'founding_key_missing'
  | 'founding_entry_missing'
  | 'bundle_invalid'
  | 'bundle_signer_unknown'
  | 'bundle_unreachable'
  | 'network_other'
  | 'genesis_other'
  | 'network_not_told'

export const FOUNDING_TEXTS: Record<FoundingErrorCode, CatalogEntry> = {
  founding_file_invalid: entry(2117, 3, 422)(
    'A file of the ceremony cannot be read',
    '{path} is not {what}, or a part of it is damaged.',
    'Terms are made by:   mooring genesis new   entries by:   mooring genesis sign',
  ),
  founding_refused: entry(2118, 8, 422)(
    'These entries found no network',
    'Each must be signed by its organisation under the terms in {path}.',
    'Ask those that are named to sign again:   mooring genesis sign {path}',
  ),
  founding_key_missing: entry(2119, 3)(
    'This home has no {duty} key',
    'The entry of an organisation names all of its keys, and {path} is not there.',
    'Make a home first:   mooring --home <dir> init --name <organisation>',
  ),
  founding_entry_missing: entry(2120, 8, 422)(
    'The genesis does not have the entry that was signed',
    '{path} has no entry of {organisation} that is as {entry} says. Do not start a node with it.',
    'Ask whoever made it which entry was used, and build it again from all files.',
  ),
  bundle_invalid: entry(2121, 8, 422)(
    'The bundle of the network does not hold',
    '{source}: {detail}.',
    'Get it again from a member:   mooring network invite -o bundle.json',
  ),
  bundle_signer_unknown: entry(2122, 8, 422)(
    'The bundle is signed by somebody whom the genesis does not name',
    '{source} is signed by "{organisation}" with the key {key}. It may have joined later, or not at all.',
    'Ask a member that you know for its key, and name it:   --signer <key>',
  ),
  bundle_unreachable: entry(2123, 4, 502)(
    'The bundle could not be fetched',
    '{source}: {detail}.',
    'Fetch it another way and name the file; nothing in it is secret.',
  ),
  network_other: entry(2124, 13, 409)(
    'This home belongs to another network',
    '{home} has the genesis of {ours}, and the bundle is of {theirs}. Nothing was changed.',
    'Make another home for it:   mooring --home <dir> init --network <bundle>',
  ),
  genesis_other: entry(2125, 8, 422)(
    'The genesis is another one than expected',
    '{source} has the digest {digest}, expected {expected}.',
    'Compare with the members before anything is started:   mooring genesis show',
  ),
  network_not_told: entry(2126, 8, 422)(
    'Nothing says that what was fetched is the network you mean',
    '{source} proves nothing by itself: whoever forges a genesis names the keys in it, and signs with them. Nothing was changed.',
    'Ask a member that you know for the digest, by another way, and name it:   --genesis-digest <hex>',
    'Or, for a bundle, the key of its signer:   --signer <key>',
  ),
}
