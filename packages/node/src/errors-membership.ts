// Texts for what goes wrong when members change their network from the command line: governance keys,
// join lines, proposals that would do harm, keys that wait for their turn.

import { type CatalogEntry, entry } from './error-entry.ts'

export type MembershipErrorCode =
  | 'governance_foreign'
  | 'governance_elsewhere'
  | 'member_unknown'
  | 'join_line_malformed'
  | 'join_line_foreign'
  | 'join_line_missing'
  | 'endpoint_foreign'
  | 'change_unsafe'
  | 'change_exists'
  | 'change_ambiguous'
  | 'change_waiting'
  | 'change_closed'
  | 'evidence_too_large'
  | 'parameter_unknown'
  | 'nothing_to_rotate'
  | 'waiting_for_admission'
  | 'keys_foreign'

export const MEMBERSHIP_TEXTS: Record<MembershipErrorCode, CatalogEntry> = {
  governance_foreign: entry(2020, 5, 403)(
    'The governance key is not that of a member',
    '{path} has the public key {key}, which no organisation of {network} has.',
    'Name the right one:   --governance-key <file>',
    'Compare:   mooring member list --json',
  ),
  governance_elsewhere: entry(2026, 7, 409)(
    'The governance key and the home belong to different organisations',
    '{path} is the key of {organisation}, and {home} holds keys of {owner}. New keys are made in that home: nothing was proposed.',
    'Name the home of {organisation}:   mooring --home <dir> keys rotate',
    'Or the governance key of {owner}:   --governance-key <file>',
  ),
  member_unknown: entry(2021, 6, 404)(
    'The network has no such member',
    'No organisation of it is called "{organisation}".',
    'See them:   mooring member list',
  ),
  join_line_malformed: entry(2022, 2, 422)(
    'This is no join line',
    '{detail}.',
    'Ask the newcomer for the line again, all of it:   mooring network info',
  ),
  join_line_foreign: entry(2023, 13, 409)(
    'The join line is for another network',
    'It asks for admission to {theirs}, and this node is of {ours}.',
    'The newcomer needs the genesis of this network:   mooring genesis show --raw',
  ),
  join_line_missing: entry(2024, 6, 404)(
    'This home has no join line',
    'A join line is made by "init" together with the keys, for the network it is given.',
    'Make a home for the network:   mooring --home <dir> init --network genesis.json',
  ),
  endpoint_foreign: entry(2025, 13, 409)(
    'The node is of another network than the home',
    'Home: {home}; {url}: {node}. Nothing was signed.',
    'Check --home and --endpoint.',
  ),
  change_unsafe: entry(3040, 7, 409)(
    'The change would endanger the network',
    '{detail}',
    'See who is there:   mooring member list',
    'To propose it all the same:   --force',
  ),
  change_exists: entry(3041, 7, 409)(
    'The same change is proposed already',
    '{id} of {proposer} asks for it: {summary}.',
    'Approve that one:   mooring change approve {short}',
  ),
  change_ambiguous: entry(3042, 2, 400)(
    'The id is abbreviated too far, or belongs to no change',
    '"{id}" fits {count} of the changes that are open or have passed.',
    'See them:   mooring change list --all',
    'What was withdrawn, has expired or was overtaken is not kept.',
  ),
  change_waiting: entry(3043, 9, 504)(
    'The change has not passed yet',
    'After {timeout} it waits for {what}. It is kept, and passes by itself once it has that.',
    'See it:   mooring change show {id}',
  ),
  change_closed: entry(3044, 7, 409)(
    'The change is closed',
    '{id} was withdrawn, has expired, or was overtaken by another one.',
    'See what passed:   mooring member history',
  ),
  evidence_too_large: entry(3045, 2, 413)(
    'The evidence is too large for a proposal',
    '{path} has {size}; a proposal carries 8 pieces of at most {limit}.',
    'Export it again, or describe where it is kept:   mooring evidence export',
  ),
  parameter_unknown: entry(3046, 2, 400)(
    'A parameter cannot be set like this',
    '{detail}.',
    'See them:   mooring network info',
  ),
  waiting_for_admission: entry(1064, 9, 503)(
    'This node waits for admission',
    'The members do not know "{name}" yet: they close its connections before a word is said. That is no fault.',
    'Send them the line that "init" printed; it is kept in config/join.txt.',
    'A member proposes it:   mooring change propose admit @join.txt',
  ),
  keys_foreign: entry(1065, 3)(
    'The chain names other keys of this node than its home holds',
    'For {duties} the members know another key. Without the consensus key it does not vote, without the transport key nobody connects.',
    'Bring the key files of this organisation back:   mooring keys list',
    'If they are lost, the other members can give it new ones:   mooring keys rotate --help',
  ),
  nothing_to_rotate: entry(3047, 7, 409)(
    'There is nothing to rotate',
    '{detail}',
    'See the keys:   mooring keys list',
  ),
}
