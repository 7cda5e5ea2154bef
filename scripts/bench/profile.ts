// Where the time of a process went, from the profile that Node writes with --cpu-prof:
//
//   node scripts/bench/profile.ts CPU.….cpuprofile [--rows 40] [--callers NAME] [--total]
//
// Self time by package and by function; with --total the time with all that a function calls, with --callers
// the functions that the calls of one function come from. Loading modules is left out, and percentages are of
// the time that was not idle.

import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'

interface ProfileNode {
  id: number
  callFrame: { functionName: string; url: string; lineNumber: number }
  children?: number[]
}

interface Profile {
  nodes: ProfileNode[]
  samples: number[]
  timeDeltas: number[]
}

const IDLE = new Set(['(idle)', '(program)', '(root)'])

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: 'string', default: '40' },
    callers: { type: 'string' },
    total: { type: 'boolean', default: false },
  },
})

const [path] = positionals
if (path === undefined) throw new Error('which profile? give the path of a .cpuprofile')
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the file is Node's own
const profile = JSON.parse(await readFile(path, 'utf8')) as Profile

const nodes = new Map(profile.nodes.map((node) => [node.id, node]))
const parents = new Map(
  profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)),
)
const selfMicros = new Map<number, number>()
for (const [index, id] of profile.samples.entries())
  selfMicros.set(id, (selfMicros.get(id) ?? 0) + (profile.timeDeltas[index] ?? 0))

for (const node of profile.nodes)
  if (stackOf(node).some(({ callFrame }) => isLoading(callFrame.url))) selfMicros.set(node.id, 0)

const busy = sum(profile.nodes, (node) =>
  IDLE.has(node.callFrame.functionName) ? 0 : selfOf(node),
)
print('time', [['not idle', busy]])
if (values.callers !== undefined) print(`callers of ${values.callers}`, callersOf(values.callers))
else if (values.total) print('with callees', totals())
else {
  print(
    'self, by package',
    grouped((node) => packageOf(node)),
  )
  print(
    'self, by function',
    grouped((node) => nameOf(node)),
  )
}

function isLoading(url: string): boolean {
  return /^node:internal\/(?:modules|bootstrap)/.test(url)
}

function selfOf({ id }: ProfileNode): number {
  return selfMicros.get(id) ?? 0
}

function sum(list: readonly ProfileNode[], of: (node: ProfileNode) => number): number {
  return list.reduce((total, node) => total + of(node), 0)
}

function add(map: Map<string, number>, name: string, micros: number): void {
  map.set(name, (map.get(name) ?? 0) + micros)
}

function grouped(groupOf: (node: ProfileNode) => string): [string, number][] {
  const groups = new Map<string, number>()
  for (const node of profile.nodes) add(groups, groupOf(node), selfOf(node))
  return [...groups]
}

/** A function that is on the stack twice counts once. */
function totals(): [string, number][] {
  const found = new Map<string, number>()
  for (const node of profile.nodes) {
    const micros = selfOf(node)
    if (micros === 0) continue
    for (const name of new Set(stackOf(node).map(nameOf))) add(found, name, micros)
  }
  return [...found]
}

function callersOf(wanted: string): [string, number][] {
  const found = new Map<string, number>()
  for (const node of profile.nodes) {
    const micros = selfOf(node)
    if (micros === 0) continue
    const stack = stackOf(node)
    const at = stack.findLastIndex(({ callFrame }) => callFrame.functionName === wanted)
    const caller = at < 0 ? undefined : stack[at + 1]
    if (caller !== undefined) add(found, nameOf(caller), micros)
  }
  return [...found]
}

/** From the function itself to the root. */
function stackOf(node: ProfileNode): ProfileNode[] {
  const stack = [node]
  for (let id = parents.get(node.id); id !== undefined; id = parents.get(id)) {
    const above = nodes.get(id)
    if (above !== undefined) stack.push(above)
  }
  return stack
}

function nameOf(node: ProfileNode): string {
  const { functionName, url, lineNumber } = node.callFrame
  const file = url.split('/').slice(-2).join('/')
  return `${functionName || '(anonymous)'} ${file}${file === '' ? '' : `:${lineNumber + 1}`}`
}

function packageOf({ callFrame: { functionName, url } }: ProfileNode): string {
  const outside = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1]
  if (outside !== undefined) return outside
  const own = /\/packages\/([^/]+)\//.exec(url)?.[1]
  if (own !== undefined) return own
  if (url.startsWith('node:')) return 'Node itself'
  return functionName.startsWith('(') ? functionName : 'native'
}

function print(title: string, rows: readonly [string, number][]): void {
  process.stdout.write(`\n${title}\n`)
  const shown = rows.toSorted((a, b) => b[1] - a[1]).slice(0, Number(values.rows))
  for (const [name, micros] of shown) {
    const share = ((100 * micros) / busy).toFixed(1)
    process.stdout.write(
      `${(micros / 1000).toFixed(1).padStart(10)} ms ${share.padStart(5)} %  ${name}\n`,
    )
  }
}
