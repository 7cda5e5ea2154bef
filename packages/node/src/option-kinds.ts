// What kinds of options there are, and how the table says one.

export const PROFILES = ['prod', 'devnet', 'test'] as const

export type Profile = (typeof PROFILES)[number]

export type OptionKind =
  | 'text'
  | 'path'
  | 'choice'
  | 'integer'
  | 'duration'
  | 'size'
  | 'list'
  | 'address'
  | 'levels'
  | 'retention'

type Details<T> = {
  default: T
  description: string
  // What a profile sets instead of the default.
  profiles?: Partial<Record<Profile, T>>
}

type Limits = {
  // What is expected, in words, where the limits alone do not say it well.
  hint?: string
  // Of the text, or of each item of a list.
  pattern?: string
  // Texts, or items of a list, that the pattern permits.
  examples?: readonly [string, string]
  enum?: readonly string[]
  unit?: 'ms' | 'bytes'
  minimum?: number
  maximum?: number
}

export type Option<T> = Details<T> & Limits & { kind: OptionKind }

type Range = [minimum: number, maximum: number]

// What a text must look like; the examples show it in the reference and are tried by tests.
type Rule = Required<Pick<Limits, 'pattern' | 'hint' | 'examples'>>

export const text = (details: Details<string>, rule?: Rule): Option<string> => ({
  kind: 'text',
  ...rule,
  ...details,
})

export const path = (details: Details<string>): Option<string> => ({ kind: 'path', ...details })

export const address = (details: Details<string>): Option<string> => ({
  kind: 'address',
  ...details,
})

export const levels = (details: Details<string>): Option<string> => ({ kind: 'levels', ...details })

export const choice = <const T extends string>(
  values: readonly T[],
  details: Details<T>,
): Option<T> => ({
  kind: 'choice',
  enum: values,
  ...details,
})

const number = (
  kind: OptionKind,
  [minimum, maximum]: Range,
  details: Details<number> & Limits,
): Option<number> => ({ kind, minimum, maximum, ...details })

export const integer = (range: Range, details: Details<number>) => number('integer', range, details)

export const duration = (range: Range, details: Details<number>) =>
  number('duration', range, { unit: 'ms', ...details })

export const size = (range: Range, details: Details<number>) =>
  number('size', range, { unit: 'bytes', ...details })

export const list = (details: Details<string[]>, rule: Rule): Option<string[]> => ({
  kind: 'list',
  ...rule,
  ...details,
})
