// Texts for emergency access: what the chain refuses of it, what trustees refuse, what a desk cannot do.

import type { InvalidEmergency } from '@mooring/ledger'
import { type CatalogEntry, entry } from './error-entry.ts'

export const EMERGENCY_TRANSACTION_TEXTS: Record<InvalidEmergency['code'], CatalogEntry> = {
  emergency_seen: entry(4161, 7, 409)(
    'This emergency is on the chain already',
    'Each opening has an id of its own.',
    'Go on with the one that is open:   mooring emergency list',
  ),
  emergency_set_seen: entry(4162, 7, 409)(
    'Your organisation has opened this version of the set already',
    'An organisation opens a version once; while it is open its request is good for all that is in it.',
    'Show it again from the same request:   mooring emergency show <id>',
    'After its four hours a new version is there, and can be opened.',
  ),
  emergency_rate: entry(4163, 4, 429)(
    'Your organisation opens too many emergency sets',
    'The network takes thirty within an hour from one organisation.',
    'Read the detail: it says when the next one may be opened. Until then ask the patient or the family.',
  ),
  unknown_emergency: entry(4164, 6, 404)(
    'There is no such emergency',
    'No final block has an opening with this id.',
    'See those of this hospital:   mooring emergency list',
  ),
  not_the_opener: entry(4165, 5, 422)(
    'Another organisation opened this emergency',
    'Who opened it says how it ended.',
    'Ask that organisation to give its reason.',
  ),
  emergency_closed: entry(4166, 7, 409)(
    'The written reason of this emergency is there already',
    'A reason is given once.',
    'Nothing is to be done.',
  ),
  emergency_overdue: entry(4167, 7, 422)(
    'It is too late for the written reason',
    'It was due within 72 hours of block time; this emergency stays open for everybody to see.',
    'Give the reason to the reviewers and to the patient directly.',
  ),
}
