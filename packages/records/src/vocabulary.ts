// The words the patient generator speaks: a small vocabulary with real codes.
//
// Conditions bring the medicines that treat them; vital signs and laboratory values carry the range
// they are drawn from and the decimals they are written with, so that 80.00 stays 80.00.

export type Coding = readonly [system: string, code: string, display: string]

const SNOMED = 'http://snomed.info/sct'
const LOINC = 'http://loinc.org'
const RXNORM = 'http://www.nlm.nih.gov/research/umls/rxnorm'
const CVX = 'http://hl7.org/fhir/sid/cvx'

export interface Measure {
  readonly coding: Coding
  readonly unit: string
  readonly low: number
  readonly high: number
  readonly places: number
}

export interface Ailment {
  readonly coding: Coding
  readonly treatments: readonly Coding[]
  readonly isChronic: boolean
}

const snomed = (code: string, display: string): Coding => [SNOMED, code, display]
const loinc = (code: string, display: string): Coding => [LOINC, code, display]
const rxnorm = (code: string, display: string): Coding => [RXNORM, code, display]
const cvx = (code: string, display: string): Coding => [CVX, code, display]

function measure(coding: Coding, unit: string, range: readonly [number, number, number]): Measure {
  return { coding, unit, low: range[0], high: range[1], places: range[2] }
}

const IBUPROFEN = rxnorm('310965', 'Ibuprofen 200 MG Oral Tablet')
const NAPROXEN = rxnorm('849574', 'Naproxen sodium 220 MG Oral Tablet')
const ACETAMINOPHEN = rxnorm('313782', 'Acetaminophen 325 MG Oral Tablet')
const AMOXICILLIN = rxnorm('308182', 'Amoxicillin 250 MG Oral Capsule')
const LISINOPRIL = rxnorm('314076', 'lisinopril 10 MG Oral Tablet')
const AMLODIPINE = rxnorm('197361', 'amlodipine 5 MG Oral Tablet')
const HYDROCHLOROTHIAZIDE = rxnorm('310798', 'Hydrochlorothiazide 25 MG Oral Tablet')
const METFORMIN = rxnorm(
  '860975',
  '24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet',
)
const SIMVASTATIN = rxnorm('312961', 'Simvastatin 20 MG Oral Tablet')
const ALBUTEROL = rxnorm('745679', '200 ACTUAT Albuterol 0.09 MG/ACTUAT Metered Dose Inhaler')
const OMEPRAZOLE = rxnorm('198051', 'omeprazole 20 MG Delayed Release Oral Capsule')

const chronic = (coding: Coding, ...treatments: Coding[]): Ailment => ({
  coding,
  treatments,
  isChronic: true,
})
const acute = (coding: Coding, ...treatments: Coding[]): Ailment => ({
  coding,
  treatments,
  isChronic: false,
})

export const AILMENTS: readonly Ailment[] = [
  chronic(snomed('38341003', 'Hypertensive disorder'), LISINOPRIL, AMLODIPINE, HYDROCHLOROTHIAZIDE),
  chronic(snomed('44054006', 'Diabetes mellitus type 2'), METFORMIN),
  chronic(snomed('55822004', 'Hyperlipidemia'), SIMVASTATIN),
  chronic(snomed('195967001', 'Asthma'), ALBUTEROL),
  chronic(snomed('239873007', 'Osteoarthritis of knee'), NAPROXEN, ACETAMINOPHEN),
  chronic(snomed('235595009', 'Gastroesophageal reflux disease'), OMEPRAZOLE),
  chronic(snomed('271737000', 'Anemia')),
  acute(snomed('195662009', 'Acute viral pharyngitis'), ACETAMINOPHEN),
  acute(snomed('444814009', 'Viral sinusitis'), IBUPROFEN),
  acute(snomed('10509002', 'Acute bronchitis'), ACETAMINOPHEN, AMOXICILLIN),
  acute(snomed('65363002', 'Otitis media'), AMOXICILLIN),
  acute(snomed('44465007', 'Sprain of ankle'), IBUPROFEN, NAPROXEN),
]

export const OBESITY = chronic(snomed('162864005', 'Body mass index 30+ - obesity'))

export const ALLERGIES: readonly { coding: Coding; category: string }[] = [
  { coding: rxnorm('7980', 'Penicillin G'), category: 'medication' },
  { coding: rxnorm('1191', 'Aspirin'), category: 'medication' },
  { coding: rxnorm('10831', 'Sulfamethoxazole / Trimethoprim'), category: 'medication' },
  { coding: snomed('91935009', 'Allergy to peanut'), category: 'food' },
  { coding: snomed('91930004', 'Allergy to egg'), category: 'food' },
  { coding: snomed('300916003', 'Allergy to latex'), category: 'environment' },
  { coding: snomed('418689008', 'Allergy to grass pollen'), category: 'environment' },
  { coding: snomed('424213003', 'Allergy to bee venom'), category: 'environment' },
]

export const REACTIONS: readonly Coding[] = [
  snomed('247472004', 'Wheal'),
  snomed('271807003', 'Eruption of skin'),
  snomed('39579001', 'Anaphylaxis'),
  snomed('267036007', 'Dyspnea'),
]

export const BLOOD_PRESSURE = loinc('85354-9', 'Blood pressure panel with all children optional')
export const SYSTOLIC = measure(loinc('8480-6', 'Systolic blood pressure'), 'mm[Hg]', [98, 158, 0])
export const DIASTOLIC = measure(loinc('8462-4', 'Diastolic blood pressure'), 'mm[Hg]', [60, 96, 0])
export const BODY_HEIGHT = measure(loinc('8302-2', 'Body height'), 'cm', [150, 194, 1])
export const BODY_WEIGHT = measure(loinc('29463-7', 'Body weight'), 'kg', [48, 118, 2])
export const BODY_MASS_INDEX = measure(
  loinc('39156-5', 'Body mass index (BMI) [Ratio]'),
  'kg/m2',
  [17, 40, 2],
)

export const VITAL_SIGNS: readonly Measure[] = [
  measure(loinc('8867-4', 'Heart rate'), '/min', [52, 104, 0]),
  measure(loinc('9279-1', 'Respiratory rate'), '/min', [11, 20, 0]),
  measure(loinc('8310-5', 'Body temperature'), 'Cel', [36, 38.6, 1]),
  measure(
    loinc('59408-5', 'Oxygen saturation in Arterial blood by Pulse oximetry'),
    '%',
    [93, 100, 0],
  ),
]

export const PANELS: readonly { coding: Coding; measures: readonly Measure[] }[] = [
  {
    coding: loinc('57698-3', 'Lipid panel with direct LDL - Serum or Plasma'),
    measures: [
      measure(
        loinc('2093-3', 'Cholesterol [Mass/volume] in Serum or Plasma'),
        'mg/dL',
        [140, 262, 2],
      ),
      measure(
        loinc('2571-8', 'Triglyceride [Mass/volume] in Serum or Plasma'),
        'mg/dL',
        [70, 240, 2],
      ),
      measure(
        loinc('18262-6', 'Cholesterol in LDL [Mass/volume] in Serum or Plasma by Direct assay'),
        'mg/dL',
        [60, 180, 2],
      ),
      measure(
        loinc('2085-9', 'Cholesterol in HDL [Mass/volume] in Serum or Plasma'),
        'mg/dL',
        [32, 82, 2],
      ),
    ],
  },
  {
    coding: loinc('51990-0', 'Basic metabolic panel - Blood'),
    measures: [
      measure(loinc('2339-0', 'Glucose [Mass/volume] in Blood'), 'mg/dL', [68, 190, 2]),
      measure(loinc('38483-4', 'Creatinine [Mass/volume] in Blood'), 'mg/dL', [0.6, 1.4, 2]),
      measure(loinc('2947-0', 'Sodium [Moles/volume] in Blood'), 'mmol/L', [134, 146, 1]),
      measure(loinc('6298-4', 'Potassium [Moles/volume] in Blood'), 'mmol/L', [3.4, 5.2, 2]),
    ],
  },
  {
    coding: loinc('58410-2', 'CBC panel - Blood by Automated count'),
    measures: [
      measure(loinc('718-7', 'Hemoglobin [Mass/volume] in Blood'), 'g/dL', [10.8, 17.2, 1]),
      measure(
        loinc('6690-2', 'Leukocytes [#/volume] in Blood by Automated count'),
        '10*3/uL',
        [3.8, 11.2, 3],
      ),
      measure(
        loinc('777-3', 'Platelets [#/volume] in Blood by Automated count'),
        '10*3/uL',
        [150, 420, 1],
      ),
    ],
  },
]

export const PROCEDURES: readonly Coding[] = [
  snomed('430193006', 'Medication reconciliation'),
  snomed('29303009', 'Electrocardiographic procedure'),
  snomed('73761001', 'Colonoscopy'),
  snomed('171207006', 'Depression screening'),
  snomed('127783003', 'Spirometry'),
]

export const VACCINES: readonly Coding[] = [
  cvx('140', 'Influenza, seasonal, injectable, preservative free'),
  cvx('113', 'Td (adult), 5 Lf tetanus toxoid, preservative free, adsorbed'),
  cvx('133', 'Pneumococcal conjugate PCV 13'),
  cvx('43', 'Hep B, adult'),
  cvx(
    '208',
    'SARS-COV-2 (COVID-19) vaccine, mRNA, spike protein, LNP, preservative free, 30 mcg/0.3mL dose',
  ),
]

export const VISITS: readonly { coding: Coding; hospitalClass: string }[] = [
  { coding: snomed('162673000', 'General examination of patient'), hospitalClass: 'AMB' },
  { coding: snomed('185345009', 'Encounter for symptom'), hospitalClass: 'AMB' },
  { coding: snomed('390906007', 'Follow-up encounter'), hospitalClass: 'AMB' },
  { coding: snomed('50849002', 'Emergency room admission'), hospitalClass: 'EMER' },
]

export const GIVEN_NAMES = {
  female: ['Amara', 'Beatriz', 'Chloé', 'Dana', 'Edith', 'Farah', 'Grace', 'Zoë'],
  male: ['Ahmed', 'Björn', 'Carlos', 'Dmitri', 'Edwin', 'Francis', 'George', 'Łukasz'],
} as const

export const FAMILY_NAMES = [
  'Adeyemi',
  'Brandt',
  'Castillo',
  'Dubois',
  'Eriksen',
  'Fischer',
  'García',
  'Haddad',
  'Ito',
  "O'Connor",
  'Nowak',
  'Svensson',
] as const

export const TOWNS: readonly (readonly [city: string, state: string, postcode: string])[] = [
  ['Lakeview', 'OH', '43331'],
  ['Riverside', 'OH', '45424'],
  ['St. Marys', 'OH', '45885'],
  ['Harbor Springs', 'MI', '49740'],
]
