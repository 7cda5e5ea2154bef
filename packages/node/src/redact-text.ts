// What a text must not carry to somebody who helps from afar: addresses, names of computers and folders,
// keys, tokens, identifiers. The same thing is replaced by the same word, so that a reader still sees what
// belongs together. That no line ever holds a person's name or a health fact is not done here, but where the
// lines are written.

import { isIP } from 'node:net'

export interface RedactionPlace {
  home: string
  hostname: string
  /** Of the node: the folders, files and hosts in them are named by the hospital. */
  options: object
}

const IPV4 = /\b\d{1,3}(?:\.\d{1,3}){3}\b/g
const IPV6 = /(?<![0-9A-Za-z:])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?![0-9A-Za-z:])/g
const DNS_ADDRESS = /(\/dns[46]?\/)([^/\s"]+)/g
const URL_HOST = /(https?:\/\/)([^/:\s"'[\]]+)/g
const LONG_HEX = /\b[0-9a-f]{32,}\b/gi
const TOKEN = /\bmor_[A-Za-z0-9_-]{4,}\b/g
const BEARER = /\b(Bearer|Basic) +[A-Za-z0-9._~+/=-]{8,}/gi
const EMAIL = /[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}/g
const DID = /\bdid:[a-z0-9]+:[A-Za-z0-9._:%-]+/g
const REFERENCE = /\b(Patient|Practitioner|RelatedPerson|Person)\/[A-Za-z0-9.-]{1,64}/g
const LONG_BASE64 = /(?<![A-Za-z0-9+/_-])(?!12D3KooW)[A-Za-z0-9+/_-]{40,}={0,2}(?![A-Za-z0-9+/_-])/g

const isHere = (address: string): boolean => /^(127\.|0\.0\.0\.0$|::1?$)/.test(address)

const MULTIADDR = /^\/(ip4|ip6|dns[46]?|tcp|udp|unix)\//
const SHORT = 3

/** Of one bundle: the words that replace addresses count up within it. */
export function createRedaction({
  home,
  hostname,
  options,
}: RedactionPlace): (text: string) => string {
  const words = new Map<string, string>()
  const wordFor = (kind: string, value: string): string => {
    const known = words.get(value)
    if (known !== undefined) return known
    const word = `${kind}-${words.size + 1}`
    words.set(value, word)
    return word
  }
  const address = (found: string): string =>
    isIP(found) === 0 || isHere(found) ? found : wordFor('ip', found)
  const host = (whole: string, before: string, name: string): string =>
    name === 'localhost' || isIP(name) !== 0 || /^(ip|host)-\d+$/.test(name)
      ? whole
      : `${before}${wordFor('host', name)}`
  const given: [from: string, to: string][] = [
    [home, '<home>'],
    [hostname, '<host>'],
    ...pathsIn(options, home).map((path): [string, string] => [
      path,
      `<${wordFor('folder', path)}>`,
    ]),
    ...hostsIn(options).map((name): [string, string] => [name, wordFor('host', name)]),
  ]
  // The longest first: a folder may lie in another.
  const named = given
    .filter(([from]) => from.length >= SHORT)
    .toSorted(([a], [b]) => b.length - a.length)
  return (text) => {
    const unnamed = named.reduce((rest, [from, to]) => rest.replaceAll(from, to), text)
    return unnamed
      .replaceAll(TOKEN, '[token]')
      .replaceAll(BEARER, '$1 [token]')
      .replaceAll(EMAIL, '[address]')
      .replaceAll(DID, 'did:[key]')
      .replaceAll(REFERENCE, '$1/[id]')
      .replaceAll(DNS_ADDRESS, host)
      .replaceAll(URL_HOST, host)
      .replaceAll(IPV4, address)
      .replaceAll(IPV6, address)
      .replaceAll(LONG_HEX, (hex) => `${hex.slice(0, 8)}…`)
      .replaceAll(LONG_BASE64, (encoded) => `${encoded.slice(0, 6)}…`)
  }
}

/** What lies in the home tells nothing. */
function pathsIn(options: object, home: string): string[] {
  return stringsIn(options, () => true).filter(
    (text) => text.startsWith('/') && !MULTIADDR.test(text) && !`${text}/`.startsWith(`${home}/`),
  )
}

const isHost = (key: string): boolean => key === 'hosts' || key === 'listen'

function hostsIn(options: object): string[] {
  return stringsIn(options, isHost)
    .filter((text) => !text.startsWith('/'))
    .map((text) => text.replace(/:\d+$/, ''))
    .filter((name) => name !== 'localhost' && isIP(name) === 0)
}

/** Of the values whose key, or that of a list or table around them, is one of these. */
function stringsIn(value: unknown, isWanted: (key: string) => boolean, isInside = false): string[] {
  if (typeof value === 'string') return isInside ? [value] : []
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) =>
    stringsIn(inner, isWanted, isInside || isWanted(key)),
  )
}
