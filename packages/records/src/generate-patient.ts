// Made-up patients: the same seed always gives the same bytes.
//
// A patient is one FHIR R4 transaction bundle as a hospital system would send it: a few visits,
// each with what was measured, found and prescribed, tied together by `urn:uuid:` references. Nobody
// real is in it. Decimals are written as an instrument writes them (80.00), one entry a line.

import { jcsString } from '@mooring/codec'
import { Dice } from './dice.ts'
import {
  type Ailment,
  AILMENTS,
  ALLERGIES,
  BLOOD_PRESSURE,
  BODY_HEIGHT,
  BODY_MASS_INDEX,
  BODY_WEIGHT,
  type Coding,
  DIASTOLIC,
  FAMILY_NAMES,
  GIVEN_NAMES,
  type Measure,
  OBESITY,
  PANELS,
  PROCEDURES,
  REACTIONS,
  SYSTOLIC,
  TOWNS,
  VACCINES,
  VISITS,
  VITAL_SIGNS,
} from './vocabulary.ts'

type Json = string | boolean | Decimal | readonly Json[] | { readonly [key: string]: Json }
type Resource = { readonly resourceType: string; readonly [key: string]: Json }

const utf8 = new TextEncoder()
const QUARTER_HOUR_MS = 900_000
const DAY_MS = 86_400_000
const FIRST_DAY = Date.UTC(2021, 0, 4)
const DAYS_APART = 800
const VISITS_EACH = 2

const HL7 = 'http://terminology.hl7.org/CodeSystem'
const VITAL: Coding = [`${HL7}/observation-category`, 'vital-signs', 'Vital Signs']
const LABORATORY: Coding = [`${HL7}/observation-category`, 'laboratory', 'Laboratory']

/** A number with the text that stands for it. */
class Decimal {
  readonly value: number
  readonly lexeme: string

  constructor(value: number, places: number) {
    this.lexeme = value.toFixed(places)
    this.value = Number(this.lexeme)
  }
}

/** The bundle as it grows: what is added gets an id and can be referred to. */
class Chart {
  readonly entries: string[] = []
  readonly dice: Dice

  constructor(dice: Dice) {
    this.dice = dice
  }

  add(resource: Resource): Json {
    const { resourceType, ...rest } = resource
    const id = this.dice.uuid()
    const fullUrl = `urn:uuid:${id}`
    const request = { method: 'POST', url: resourceType }
    this.entries.push(formatJson({ fullUrl, resource: { resourceType, id, ...rest }, request }))
    return { reference: fullUrl }
  }

  bundle(): Uint8Array {
    const entries = this.entries.join(',\n')
    return utf8.encode(`{"resourceType":"Bundle","type":"transaction","entry":[\n${entries}\n]}\n`)
  }
}

interface Body {
  readonly height: Decimal
  readonly weight: Decimal
}

interface Visit {
  readonly chart: Chart
  readonly dice: Dice
  readonly subject: Json
  readonly encounter: Json
  readonly at: number
}

export function generatePatient(seed: number): Uint8Array {
  const dice = new Dice(seed)
  const chart = new Chart(dice)
  const custodian = addOrganisation(chart)
  const subject = addPatient(chart, custodian)
  const body = { height: drawn(BODY_HEIGHT, dice), weight: drawn(BODY_WEIGHT, dice) }
  const known = new Set<Ailment>()
  for (let index = 0; index < VISITS_EACH; index += 1) {
    const day = FIRST_DAY + dice.between(index * DAYS_APART, (index + 1) * DAYS_APART - 1) * DAY_MS
    const at = day + dice.between(8 * 4, 17 * 4) * QUARTER_HOUR_MS
    const visit = startVisit(chart, subject, custodian, at)
    if (index === 0) addAllergies(visit)
    const bodyMassIndex = addVitalSigns(visit, body)
    const found = dice.some(AILMENTS, 0.12)
    if (bodyMassIndex >= 30) found.push(OBESITY)
    for (const ailment of found.filter((each) => !known.has(each))) {
      addAilment(visit, ailment)
      if (ailment.isChronic) known.add(ailment)
    }
    if (dice.isOdds(0.5)) addPanel(visit)
    if (dice.isOdds(0.6)) addImmunization(visit)
    if (dice.isOdds(0.5)) addProcedure(visit)
  }
  return chart.bundle()
}

function addOrganisation(chart: Chart): Json {
  const [city, state, postalCode] = chart.dice.pick(TOWNS)
  return chart.add({
    resourceType: 'Organization',
    active: true,
    name: `${city} General Hospital`,
    address: [{ city, state, postalCode, country: 'US' }],
  })
}

function addPatient(chart: Chart, custodian: Json): Json {
  const dice = chart.dice
  const gender = dice.pick(['female', 'male'] as const)
  const given = dice.pick(GIVEN_NAMES[gender])
  const family = dice.pick(FAMILY_NAMES)
  const [city, state, postalCode] = dice.pick(TOWNS)
  const born = Date.UTC(dice.between(1936, 2003), 0, dice.between(1, 365))
  return chart.add({
    resourceType: 'Patient',
    text: {
      status: 'generated',
      div: `<div xmlns="http://www.w3.org/1999/xhtml"><b>${given} ${family}</b>, made up</div>`,
    },
    identifier: [
      {
        type: codeable([`${HL7}/v2-0203`, 'MR', 'Medical record number']),
        system: 'urn:oid:2.16.840.1.113883.19.5',
        value: String(dice.between(1_000_000, 9_999_999)),
      },
    ],
    active: true,
    name: [{ use: 'official', family, given: [given] }],
    gender,
    birthDate: new Date(born).toISOString().slice(0, 10),
    address: [{ line: [`${dice.between(1, 980)} Mill Lane`], city, state, postalCode }],
    managingOrganization: custodian,
  })
}

function startVisit(chart: Chart, subject: Json, custodian: Json, at: number): Visit {
  const { coding, hospitalClass } = chart.dice.pick(VISITS)
  const minutes = chart.dice.between(15, 180)
  const encounter = chart.add({
    resourceType: 'Encounter',
    status: 'finished',
    class: { system: `${HL7}/v3-ActCode`, code: hospitalClass },
    type: [codeable(coding)],
    subject,
    period: { start: instant(at), end: instant(at + minutes * 60_000) },
    serviceProvider: custodian,
  })
  return { chart, dice: chart.dice, subject, encounter, at }
}

function addAllergies({ chart, dice, subject, at }: Visit): void {
  for (const { coding, category } of dice.some(ALLERGIES, 0.2)) {
    chart.add({
      resourceType: 'AllergyIntolerance',
      clinicalStatus: codeable([`${HL7}/allergyintolerance-clinical`, 'active', 'Active']),
      verificationStatus: codeable([
        `${HL7}/allergyintolerance-verification`,
        'confirmed',
        'Confirmed',
      ]),
      type: 'allergy',
      category: [category],
      criticality: dice.pick(['low', 'high', 'unable-to-assess']),
      code: codeable(coding),
      patient: subject,
      recordedDate: instant(at),
      reaction: [{ manifestation: [codeable(dice.pick(REACTIONS))] }],
    })
  }
}

/** Answers the body mass index. */
function addVitalSigns(visit: Visit, { height, weight: usual }: Body): number {
  const weight = new Decimal(usual.value + 6 * visit.dice.fraction() - 3, BODY_WEIGHT.places)
  const metres = height.value / 100
  const index = new Decimal(weight.value / (metres * metres), BODY_MASS_INDEX.places)
  const pressure = [SYSTOLIC, DIASTOLIC].map((each) => ({
    code: codeable(each.coding),
    valueQuantity: quantity(each, drawn(each, visit.dice)),
  }))
  addObservation(visit, VITAL, BLOOD_PRESSURE, { component: pressure })
  addMeasured(visit, VITAL, BODY_HEIGHT, height)
  addMeasured(visit, VITAL, BODY_WEIGHT, weight)
  addMeasured(visit, VITAL, BODY_MASS_INDEX, index)
  for (const sign of visit.dice.some(VITAL_SIGNS, 0.4)) {
    addMeasured(visit, VITAL, sign, drawn(sign, visit.dice))
  }
  return index.value
}

function addPanel(visit: Visit): void {
  const panel = visit.dice.pick(PANELS)
  const result = panel.measures.map((each) =>
    addMeasured(visit, LABORATORY, each, drawn(each, visit.dice)),
  )
  visit.chart.add({
    resourceType: 'DiagnosticReport',
    status: 'final',
    category: [codeable([`${HL7}/v2-0074`, 'LAB', 'Laboratory'])],
    code: codeable(panel.coding),
    subject: visit.subject,
    encounter: visit.encounter,
    effectiveDateTime: instant(visit.at),
    issued: instant(visit.at + DAY_MS),
    result,
  })
}

function addMeasured(visit: Visit, category: Coding, measure: Measure, value: Decimal): Json {
  return addObservation(visit, category, measure.coding, {
    valueQuantity: quantity(measure, value),
  })
}

function addObservation(
  visit: Visit,
  category: Coding,
  coding: Coding,
  value: { readonly [key: string]: Json },
): Json {
  return visit.chart.add({
    resourceType: 'Observation',
    status: 'final',
    category: [codeable(category)],
    code: codeable(coding),
    subject: visit.subject,
    encounter: visit.encounter,
    effectiveDateTime: instant(visit.at),
    ...value,
  })
}

function addAilment(visit: Visit, { coding, treatments, isChronic }: Ailment): void {
  const { chart, dice, subject, encounter, at } = visit
  const status: Coding = isChronic
    ? [`${HL7}/condition-clinical`, 'active', 'Active']
    : [`${HL7}/condition-clinical`, 'resolved', 'Resolved']
  const condition = chart.add({
    resourceType: 'Condition',
    clinicalStatus: codeable(status),
    verificationStatus: codeable([`${HL7}/condition-ver-status`, 'confirmed', 'Confirmed']),
    code: codeable(coding),
    subject,
    encounter,
    onsetDateTime: instant(at - dice.between(0, 9) * DAY_MS),
    ...(isChronic ? {} : { abatementDateTime: instant(at + 12 * DAY_MS) }),
    recordedDate: instant(at),
  })
  if (treatments.length > 0) addPrescription(visit, treatments, condition)
}

function addPrescription(visit: Visit, treatments: readonly Coding[], reason: Json): void {
  const { chart, dice, subject, encounter, at } = visit
  const timing = { frequency: new Decimal(dice.between(1, 3), 0), period: new Decimal(1, 1) }
  chart.add({
    resourceType: 'MedicationRequest',
    status: dice.pick(['active', 'completed', 'stopped']),
    intent: 'order',
    medicationCodeableConcept: codeable(dice.pick(treatments)),
    subject,
    encounter,
    authoredOn: instant(at),
    reasonReference: [reason],
    dosageInstruction: [
      {
        timing: { repeat: { ...timing, periodUnit: 'd' } },
        asNeededBoolean: dice.isOdds(0.3),
        doseAndRate: [{ doseQuantity: { value: new Decimal(1, 1), unit: 'unit' } }],
      },
    ],
  })
}

function addImmunization({ chart, dice, subject, encounter, at }: Visit): void {
  chart.add({
    resourceType: 'Immunization',
    status: 'completed',
    vaccineCode: codeable(dice.pick(VACCINES)),
    patient: subject,
    encounter,
    occurrenceDateTime: instant(at),
    primarySource: true,
  })
}

function addProcedure({ chart, dice, subject, encounter, at }: Visit): void {
  chart.add({
    resourceType: 'Procedure',
    status: 'completed',
    code: codeable(dice.pick(PROCEDURES)),
    subject,
    encounter,
    performedPeriod: { start: instant(at), end: instant(at + dice.between(10, 50) * 60_000) },
  })
}

function drawn(measure: Measure, dice: Dice): Decimal {
  return new Decimal(measure.low + dice.fraction() * (measure.high - measure.low), measure.places)
}

function quantity(measure: Measure, value: Decimal): Json {
  return { value, unit: measure.unit, system: 'http://unitsofmeasure.org', code: measure.unit }
}

function codeable([system, code, display]: Coding): Json {
  return { coding: [{ system, code, display }], text: display }
}

function instant(at: number): string {
  return new Date(at).toISOString()
}

function formatJson(value: Json): string {
  if (typeof value === 'string') return jcsString(value)
  if (typeof value === 'boolean') return String(value)
  if (value instanceof Decimal) return value.lexeme
  if (isList(value)) return `[${value.map(formatJson).join(',')}]`
  const members = Object.entries(value).map(
    ([key, each]) => `${jcsString(key)}:${formatJson(each)}`,
  )
  return `{${members.join(',')}}`
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}
