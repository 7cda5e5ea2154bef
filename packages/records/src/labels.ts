// How confidential and how sensitive a record is, in the words of HL7, and what naming one covers.
//
// Confidentiality is a scale. Sensitivities are kinds, some of which stand below others; a record that
// has one is restricted, whatever else it says. ETH above its two kinds is PCF's; the rest is v3-ActCode.

const SCALE = ['U', 'L', 'M', 'N', 'R', 'V']
const NORMAL = SCALE.indexOf('N')
const RESTRICTED = SCALE.indexOf('R')

const BELOW: Record<string, string> = {
  SPI: 'PSY MH BH SUD PSYTHPN COGN DVD EMOTDIS ETHUD OPIOIDUD',
  BH: 'COGN DVD EMOTDIS',
  SUD: 'ETHUD OPIOIDUD',
  ETH: 'ETHUD OPIOIDUD',
}

const SENSITIVITIES = new Map<string, ReadonlySet<string>>(
  'BH COGN DVD EMOTDIS ETH ETHUD GDIS HIV MH MST OPIOIDUD PSY PSYTHPN SCA SDV SEX SICKLE SPI STD SUD VIO'
    .split(' ')
    .map((code) => [code, new Set([code, ...(BELOW[code]?.split(' ') ?? [])])]),
)

export function isConfidentiality(code: string): boolean {
  return SCALE.includes(code)
}

export function isSensitivity(code: string): boolean {
  return SENSITIVITIES.has(code)
}

interface Named {
  readonly confidentialities: readonly string[]
  readonly sensitivities: readonly string[]
}

/** What a permit for these opens: all of a record's labels must be covered. */
export function opensLabels(named: Named, labels: readonly string[]): boolean {
  const level = levelOfLabels(labels)
  if (named.confidentialities.some((code) => SCALE.indexOf(code) >= level)) return true
  const sensitive = labels.filter(isSensitivity)
  return (
    level <= RESTRICTED &&
    sensitive.length > 0 &&
    sensitive.every((label) => isNamed(named.sensitivities, label))
  )
}

/** What a deny of these closes: one label that it covers is enough. */
export function closesLabels(named: Named, labels: readonly string[]): boolean {
  const level = levelOfLabels(labels)
  return (
    named.confidentialities.some((code) => SCALE.indexOf(code) <= level) ||
    labels.some((label) => isNamed(named.sensitivities, label))
  )
}

function isNamed(names: readonly string[], label: string): boolean {
  return names.some((name) => SENSITIVITIES.get(name)?.has(label) === true)
}

function levelOfLabels(labels: readonly string[]): number {
  const stated = labels.map((label) => SCALE.indexOf(label)).filter((level) => level >= 0)
  const level = stated.length === 0 ? NORMAL : Math.max(...stated)
  return labels.some(isSensitivity) ? Math.max(level, RESTRICTED) : level
}
