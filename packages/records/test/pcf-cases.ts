// The examples of IHE PCF (Privacy Consent on FHIR), each with what it permits and what it refuses.

import type { Consent, ConsentLevel } from '../src/consent.ts'
import type { ConsentQuestion } from '../src/decide-consent.ts'
import {
  bareConsent,
  DAY_MS,
  deny,
  keyOf,
  permit,
  RECORD,
  specialist,
  START,
} from './consent-world.ts'

type Facts = Partial<ConsentQuestion['facts']>
type Asked = Partial<Omit<ConsentQuestion, 'facts'>>
export type Row = readonly [what: string, expected: string, facts?: Facts, asked?: Asked]

export interface Case {
  readonly name: string
  readonly consent: Consent
  readonly level: ConsentLevel
  readonly rows: readonly Row[]
}

export const TPO = { purposes: ['TREAT', 'HPAYMT', 'HOPERAT'] }
export const bySpecialist: Asked = { practitioner: specialist.publicKey }
export const actors = [{ organisation: 'harbor-clinic', practitioner: specialist.publicKey }]
const clinic = [{ organisation: 'harbor-clinic', practitioner: null }]
export const labelled = (...labels: string[]): Facts => ({ labels: labels.toSorted() })
const year2022 = { firstDay: '2022-01-01', lastDay: '2022-12-31' }

export const BASIC: Case[] = [
  {
    name: 'treat, pay, operate',
    consent: bareConsent(permit(TPO)),
    level: 'basic',
    rows: [
      ['treatment', 'permit'],
      ['payment', 'permit', {}, { purpose: 'HPAYMT' }],
      ['operations', 'permit', {}, { purpose: 'HOPERAT' }],
      ['what stands below treatment', 'permit', {}, { purpose: 'ERTREAT' }],
      ['breaking the glass', 'purpose_not_covered', {}, { purpose: 'BTG' }],
      ['marketing', 'purpose_not_covered', {}, { purpose: 'HMARKT' }],
      ['legal use, below operations', 'purpose_not_covered', {}, { purpose: 'HLEGAL' }],
      ['research', 'purpose_not_covered', {}, { purpose: 'HRESCH' }],
      ['a word that is no purpose', 'purpose_not_covered', {}, { purpose: 'TREATS' }],
      ['a sensitive class, unnamed', 'class_not_covered', { class: 'sensitive:psy' }],
    ],
  },
  {
    name: 'rejected',
    consent: bareConsent(deny(TPO)),
    level: 'basic',
    rows: [
      ['treatment', 'denied'],
      ['breaking the glass', 'denied', {}, { purpose: 'BTG' }],
    ],
  },
  {
    name: 'with an end',
    consent: bareConsent(permit({ ...TPO, start: START, end: START + DAY_MS })),
    level: 'basic',
    rows: [
      [
        'before, beyond what clocks may differ',
        'grant_not_valid_yet',
        {},
        { time: START - 60_001 },
      ],
      ['before, within it', 'permit', {}, { time: START - 60_000 }],
      ['in its last millisecond', 'permit', {}, { time: START + DAY_MS - 1 }],
      ['at its end', 'grant_expired', {}, { time: START + DAY_MS }],
    ],
  },
  {
    name: 'to one organisation',
    consent: bareConsent(permit({ ...TPO, actors: clinic })),
    level: 'basic',
    rows: [
      ['that one', 'permit'],
      ['that one, by a practitioner', 'permit', {}, bySpecialist],
      ['another', 'not_the_recipient', {}, { organisation: 'riverside' }],
    ],
  },
  {
    name: 'to one practitioner',
    consent: bareConsent(permit({ ...TPO, actors })),
    level: 'basic',
    rows: [
      ['she', 'permit', {}, bySpecialist],
      ['a colleague', 'practitioner_missing', {}, { practitioner: keyOf(9).publicKey }],
      ['nobody in person', 'practitioner_missing'],
      [
        'her key at another house',
        'not_the_recipient',
        {},
        { ...bySpecialist, organisation: 'riverside' },
      ],
    ],
  },
]

export const INTERMEDIATE: Case[] = [
  {
    name: 'authored within a timeframe',
    consent: bareConsent(permit({ ...TPO, ...year2022 })),
    level: 'intermediate',
    rows: [
      ['its first day', 'permit', { date: '2022-01-01' }],
      ['its last day', 'permit', { date: '2022-12-31' }],
      ['the day before', 'date_not_covered', { date: '2021-12-31' }],
      ['the day after', 'date_not_covered', { date: '2023-01-01' }],
      ['no day', 'date_not_covered', { date: '' }],
      ['a hidden day', 'facts_missing', { date: undefined }],
    ],
  },
  {
    name: 'not within a timeframe',
    consent: bareConsent(permit(TPO), deny(year2022)),
    level: 'intermediate',
    rows: [
      ['a day of it', 'denied', { date: '2022-06-01' }],
      ['another day', 'permit', { date: '2023-06-01' }],
      ['no day, which could be of it', 'denied', { date: '' }],
      ['a hidden day', 'facts_missing', { date: undefined }],
    ],
  },
  {
    name: 'authored by',
    consent: bareConsent(permit({ ...TPO, authors: ['Practitioner/1'] })),
    level: 'intermediate',
    rows: [
      ['by that one', 'permit'],
      ['by another', 'author_not_covered', { author: 'Practitioner/2' }],
      ['by nobody named', 'author_not_covered', { author: '' }],
    ],
  },
  {
    name: 'not authored by',
    consent: bareConsent(permit(TPO), deny({ authors: ['Practitioner/1'] })),
    level: 'intermediate',
    rows: [
      ['by that one', 'denied'],
      ['by another', 'permit', { author: 'Practitioner/2' }],
      ['hidden', 'facts_missing', { author: undefined }],
    ],
  },
  {
    name: 'related to an encounter',
    consent: bareConsent(permit({ ...TPO, encounters: ['Encounter/1'] })),
    level: 'intermediate',
    rows: [
      ['of that one', 'permit'],
      ['of another', 'encounter_not_covered', { encounter: 'Encounter/2' }],
      ['of none', 'encounter_not_covered', { encounter: '' }],
    ],
  },
  {
    name: 'not related to an encounter',
    consent: bareConsent(permit(TPO), deny({ encounters: ['Encounter/1'] })),
    level: 'intermediate',
    rows: [
      ['of that one', 'denied'],
      ['of another', 'permit', { encounter: 'Encounter/2' }],
    ],
  },
  {
    name: 'by id',
    consent: bareConsent(permit({ ...TPO, records: [RECORD] })),
    level: 'intermediate',
    rows: [
      ['that record', 'permit'],
      ['that record, though sensitive', 'permit', { class: 'sensitive:hiv' }],
      ['another', 'record_not_covered', { record: new Uint8Array(32) }],
      ['a hidden one', 'facts_missing', { record: undefined }],
    ],
  },
  {
    name: 'not by id',
    consent: bareConsent(permit(TPO), deny({ records: [RECORD] })),
    level: 'intermediate',
    rows: [
      ['that record', 'denied'],
      ['another', 'permit', { record: new Uint8Array(32) }],
    ],
  },
  {
    name: 'for a research project of one organisation',
    consent: bareConsent(permit({ purposes: ['CLINTRCH'], actors: clinic })),
    level: 'intermediate',
    rows: [
      ['the trial', 'permit', {}, { purpose: 'CLINTRCHPC' }],
      ['research of another kind', 'purpose_not_covered', {}, { purpose: 'BIORCH' }],
      ['treatment', 'purpose_not_covered'],
      [
        'by another organisation',
        'not_the_recipient',
        {},
        { purpose: 'CLINTRCH', organisation: 'riverside' },
      ],
    ],
  },
  {
    name: 'nothing but breaking the glass',
    consent: bareConsent(deny(), permit({ purposes: ['BTG'], actors: clinic })),
    level: 'intermediate',
    rows: [
      ['breaking it', 'permit', {}, { purpose: 'BTG' }],
      ['treatment', 'purpose_not_covered'],
      ['emergency treatment', 'purpose_not_covered', {}, { purpose: 'ETREAT' }],
      ['elsewhere', 'not_the_recipient', {}, { purpose: 'BTG', organisation: 'riverside' }],
    ],
  },
]

const normal = { ...TPO, confidentialities: ['N'] }
const restricted = { confidentialities: ['R'] }

export const ADVANCED: Case[] = [
  {
    name: 'normal',
    consent: bareConsent(permit(normal)),
    level: 'advanced',
    rows: [
      ['unlabelled', 'permit'],
      ['normal', 'permit', labelled('N')],
      ['low', 'permit', labelled('L')],
      ['restricted', 'label_not_covered', labelled('R')],
      ['very restricted', 'label_not_covered', labelled('V')],
      ['mental health', 'label_not_covered', labelled('PSY')],
      ['mental health that calls itself normal', 'label_not_covered', labelled('N', 'PSY')],
      ['hidden', 'facts_missing', { labels: undefined }],
    ],
  },
  {
    name: 'normal and restricted',
    consent: bareConsent(permit({ ...TPO, confidentialities: ['N', 'R'] })),
    level: 'advanced',
    rows: [
      ['normal', 'permit', labelled('N')],
      ['restricted', 'permit', labelled('R')],
      ['mental health', 'permit', labelled('PSY')],
      ['very restricted', 'label_not_covered', labelled('V')],
    ],
  },
  {
    name: 'normal, not restricted',
    consent: bareConsent(permit(normal), deny(restricted)),
    level: 'advanced',
    rows: [
      ['normal', 'permit', labelled('N')],
      ['restricted', 'denied', labelled('R')],
      ['very restricted', 'denied', labelled('V')],
      ['HIV', 'denied', labelled('HIV')],
    ],
  },
  {
    name: 'normal, and restricted to one practitioner',
    consent: bareConsent(permit(normal), permit({ ...restricted, actors })),
    level: 'advanced',
    rows: [
      ['normal, to anybody', 'permit', labelled('N')],
      ['restricted, to her', 'permit', labelled('R'), bySpecialist],
      ['restricted, to nobody in person', 'label_not_covered', labelled('R')],
      [
        'restricted, to her, for research',
        'purpose_not_covered',
        labelled('R'),
        { ...bySpecialist, purpose: 'HRESCH' },
      ],
    ],
  },
  {
    name: 'normal, and mental health to one practitioner',
    consent: bareConsent(permit(normal), permit({ sensitivities: ['PSY'], actors })),
    level: 'advanced',
    rows: [
      ['mental health, to her', 'permit', labelled('PSY', 'R'), bySpecialist],
      ['mental health and HIV, to her', 'label_not_covered', labelled('HIV', 'PSY'), bySpecialist],
      ['domestic violence, to her', 'label_not_covered', labelled('SDV'), bySpecialist],
      ['mental health, to others', 'label_not_covered', labelled('PSY')],
      ['normal, to others', 'permit', labelled('N')],
      ['very restricted, to her', 'label_not_covered', labelled('PSY', 'V'), bySpecialist],
    ],
  },
  {
    name: 'normal, and mental health or violence to one practitioner',
    consent: bareConsent(permit(normal), permit({ sensitivities: ['PSY', 'SDV'], actors })),
    level: 'advanced',
    rows: [
      ['violence', 'permit', labelled('SDV'), bySpecialist],
      ['both', 'permit', labelled('PSY', 'SDV'), bySpecialist],
      ['substance use', 'label_not_covered', labelled('ETH'), bySpecialist],
    ],
  },
  {
    name: 'normal, and restricted to whoever breaks the glass',
    consent: bareConsent(permit(normal), permit({ ...restricted, purposes: ['BTG'] })),
    level: 'advanced',
    rows: [
      ['restricted, breaking it', 'permit', labelled('R'), { purpose: 'BTG' }],
      ['mental health, breaking it', 'permit', labelled('PSY'), { purpose: 'BTG' }],
      ['restricted, treatment', 'label_not_covered', labelled('R')],
      ['normal, treatment', 'permit', labelled('N')],
    ],
  },
  ...['ETH', 'ETHUD', 'OPIOIDUD', 'PSY', 'SDV', 'HIV'].map(
    (label): Case => ({
      name: `not ${label}`,
      consent: bareConsent(permit(TPO), deny({ sensitivities: [label] })),
      level: 'advanced',
      rows: [
        ['it', 'denied', labelled(label)],
        ['it among others', 'denied', labelled('SEX', label)],
        ['another', 'permit', labelled('SEX')],
        ['none', 'permit'],
      ],
    }),
  ),
  {
    name: 'not substance use, of any kind',
    consent: bareConsent(permit(TPO), deny({ sensitivities: ['ETH'] })),
    level: 'advanced',
    rows: [
      ['alcohol', 'denied', labelled('ETHUD')],
      ['opioids', 'denied', labelled('OPIOIDUD')],
    ],
  },
]
