// Two different valid values of any option, made from what its table says of it, so that a new option is
// tried by every test that tries them all.

import { formatOptionValue } from '../src/config-file.ts'
import type { OptionEntry } from '../src/options.ts'

export type Sample = [text: string, toml: string, value: unknown]

const quoted = (text: string): Sample => [text, JSON.stringify(text), text]

export function samplesOf(entry: OptionEntry): Sample[] {
  const { examples, kind } = entry
  if (examples !== undefined && kind === 'list') {
    return examples.map((item) => [item, JSON.stringify([item]), [item]])
  }
  if (examples !== undefined) return examples.map(quoted)
  switch (kind) {
    case 'integer':
    case 'duration':
    case 'size':
      return [entry.minimum ?? 0, entry.maximum ?? 0].map((value) => {
        const text = formatOptionValue(entry, value)
        return [text, kind === 'integer' ? text : JSON.stringify(text), value]
      })
    case 'address':
      return ['127.0.0.1:8001', '127.0.0.1:8002'].map(quoted)
    case 'choice':
      return (entry.enum ?? []).map(quoted)
    case 'levels':
      return ['warn', 'info,p2p=debug'].map(quoted)
    case 'retention':
      return ['90d', '100000'].map(quoted)
    case 'text':
    case 'path':
      return ['one', 'two'].map(quoted)
    case 'list':
      throw new TypeError(`${entry.name} has no examples`)
  }
}
