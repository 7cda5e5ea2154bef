// What was looked at, as `operator diagnose` shows it: a mark before each line, areas nested, advice below.

import type { Check } from '@mooring/api'
import type { Output } from './output.ts'

const MARKS = { ok: '[ ok ]', warn: '[ warn ]', fail: '[ fail ]', skip: '[ skip ]' } as const

export function formatChecks(checks: readonly Check[], output: Output): string {
  const lines: string[] = []
  let area = ''
  for (const check of checks) {
    if (check.area !== area) lines.push(check.area)
    area = check.area
    lines.push(`  ${markOf(check, output).padEnd(8)} ${check.name}: ${check.detail}`)
    if (check.advice !== null && check.advice !== '') lines.push(`           → ${check.advice}`)
  }
  return lines.join('\n')
}

export function countsOf(checks: readonly Check[]): string {
  const count = (result: Check['result']) =>
    checks.filter((check) => check.result === result).length
  return `${count('ok')} ok, ${count('warn')} warnings, ${count('fail')} failed, ${count('skip')} left out`
}

function markOf({ result }: Check, output: Output): string {
  const mark = MARKS[result]
  if (result === 'ok') return output.good(mark)
  return result === 'skip' ? output.dim(mark) : output.bad(mark)
}
