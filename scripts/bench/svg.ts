// A chart of lines, drawn by hand: legible in the light and in the dark, without a script and without a font of
// its own. What cannot be told apart by colour can be by the mark and by the name at the end of the line.

export interface Point {
  readonly x: number
  readonly y: number
  /** Over the runs. */
  readonly low: number
  readonly high: number
}

export interface Line {
  readonly name: string
  readonly points: readonly Point[]
}

export interface Axis {
  readonly label: string
  readonly scale: 'linear' | 'log'
}

export interface Chart {
  readonly title: string
  readonly x: Axis
  readonly y: Axis
  readonly lines: readonly Line[]
}

const WIDTH = 720
const HEIGHT = 360
const LEFT = 76
const RIGHT = 170
const TOP = 44
const BOTTOM = 52
const COLOURS = 5

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 15px; font-weight: 600 }
  .grid { stroke: #d0d7de; stroke-width: 1 }
  .line { fill: none; stroke-width: 2 }
  .spread { stroke-width: 1; opacity: 0.6 }
  .c0 { stroke: #0b62c4 } .c1 { stroke: #b35900 } .c2 { stroke: #1a7f37 } .c3 { stroke: #8250df } .c4 { stroke: #57606a }
  .f0 { fill: #0b62c4 } .f1 { fill: #b35900 } .f2 { fill: #1a7f37 } .f3 { fill: #8250df } .f4 { fill: #57606a }
  .ground { fill: #ffffff }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .grid { stroke: #3d444d }
    .c0 { stroke: #58a6ff } .c1 { stroke: #f0883e } .c2 { stroke: #3fb950 } .c3 { stroke: #bc8cff } .c4 { stroke: #9198a1 }
    .f0 { fill: #58a6ff } .f1 { fill: #f0883e } .f2 { fill: #3fb950 } .f3 { fill: #bc8cff } .f4 { fill: #9198a1 }
    .ground { fill: #0d1117 }
  }`

interface Scale {
  readonly ticks: readonly number[]
  /** From 0 to 1. */
  readonly at: (value: number) => number
}

export function drawChart({ title, x, y, lines }: Chart): string {
  const points = lines.flatMap((line) => line.points)
  const xs = scaleOf(
    points.map((point) => point.x),
    x.scale,
    false,
  )
  const ys = scaleOf(
    points.flatMap(({ low, high }) => [low, high]),
    y.scale,
    true,
  )
  const left = (value: number) => round(LEFT + xs.at(value) * (WIDTH - LEFT - RIGHT))
  const top = (value: number) => round(HEIGHT - BOTTOM - ys.at(value) * (HEIGHT - TOP - BOTTOM))
  const parts = [
    `<text class="title" x="${LEFT}" y="24">${escape(title)}</text>`,
    ...ys.ticks.map(
      (tick) =>
        `<path class="grid" d="M${LEFT} ${top(tick)}H${WIDTH - RIGHT}"/>` +
        `<text x="${LEFT - 8}" y="${top(tick) + 4}" text-anchor="end">${textOf(tick)}</text>`,
    ),
    ...xs.ticks.map(
      (tick) =>
        `<path class="grid" d="M${left(tick)} ${HEIGHT - BOTTOM}v5"/>` +
        `<text x="${left(tick)}" y="${HEIGHT - BOTTOM + 20}" text-anchor="middle">${textOf(tick)}</text>`,
    ),
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 10}" text-anchor="middle">${escape(x.label)}</text>`,
    `<text x="${WIDTH - RIGHT + 12}" y="24">${escape(y.label)}</text>`,
    ...lines.map((line, index) => drawLine(line, { left, top, colour: index % COLOURS })),
    ...namesOf(lines, top),
  ]
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escape(title)}">`,
    `<style>${STYLE}\n</style>`,
    `<rect class="ground" width="${WIDTH}" height="${HEIGHT}"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n')
}

interface Place {
  readonly left: (value: number) => number
  readonly top: (value: number) => number
  readonly colour: number
}

function drawLine({ points }: Line, { left, top, colour }: Place): string {
  const path = points.map(({ x, y }, at) => `${at === 0 ? 'M' : 'L'}${left(x)} ${top(y)}`).join('')
  const marks = points.map(({ x, y, low, high }) => {
    const spread =
      low === high
        ? ''
        : `<path class="spread c${colour}" d="M${left(x)} ${top(low)}V${top(high)}"/>`
    return `${spread}${markAt(colour, left(x), top(y))}`
  })
  return `<path class="line c${colour}" d="${path}"/>${marks.join('')}`
}

function markAt(colour: number, x: number, y: number): string {
  const fill = `class="f${colour}"`
  if (colour === 1)
    return `<rect ${fill} x="${round(x - 4)}" y="${round(y - 4)}" width="8" height="8"/>`
  if (colour === 2) return `<path ${fill} d="M${x} ${round(y - 5)}l5 9h-10z"/>`
  if (colour === 3) return `<path ${fill} d="M${x} ${round(y - 6)}l6 6l-6 6l-6-6z"/>`
  return `<circle ${fill} cx="${x}" cy="${y}" r="4"/>`
}

/** Beside the last point of each, apart from one another. */
function namesOf(lines: readonly Line[], top: (value: number) => number): string[] {
  const wanted = lines
    .map(({ name, points }, index) => ({ name, index, y: top(points.at(-1)?.y ?? 0) }))
    .toSorted((a, b) => a.y - b.y)
  let free = TOP
  const placed = wanted.map(({ name, index, y }) => {
    const at = Math.max(y, free)
    free = at + 18
    return { name, index, at }
  })
  const over = Math.max(0, free - 18 - (HEIGHT - BOTTOM))
  return placed.map(({ name, index, at }) => {
    const y = round(at - over)
    const mark = markAt(index % COLOURS, WIDTH - RIGHT + 16, y)
    return `${mark}<text x="${WIDTH - RIGHT + 26}" y="${y + 4}">${escape(name)}</text>`
  })
}

function scaleOf(values: readonly number[], kind: Axis['scale'], fromZero: boolean): Scale {
  const known = values.filter((value) => Number.isFinite(value) && (kind === 'linear' || value > 0))
  const [min, max] = [Math.min(...known), Math.max(...known)]
  if (kind === 'log') return logScale(min, max, fromZero)
  const step = stepFor((max - (fromZero ? 0 : min)) / 5)
  const [from, to] = [fromZero ? 0 : Math.floor(min / step) * step, Math.ceil(max / step) * step]
  const count = Math.max(1, Math.round((to - from) / step))
  const ticks = Array.from({ length: count + 1 }, (_, at) => from + at * step)
  return { ticks, at: (value) => (value - from) / (count * step) }
}

/** Whole powers of ten, or what is there where that would leave most of it empty. */
function logScale(min: number, max: number, isWhole: boolean): Scale {
  const [from, to] = isWhole
    ? [
        Math.floor(Math.log10(min)),
        Math.max(Math.ceil(Math.log10(max)), Math.floor(Math.log10(min)) + 1),
      ]
    : [Math.log10(min), Math.max(Math.log10(max), Math.log10(min) + 0.1)]
  const ticks: number[] = []
  for (let power = Math.ceil(from); power <= to; power += 1) ticks.push(10 ** power)
  return { ticks, at: (value) => (Math.log10(Math.max(value, 10 ** from)) - from) / (to - from) }
}

/** 1, 2 or 5 times a power of ten. */
function stepFor(size: number): number {
  if (!(size > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(size))
  return ([1, 2, 5, 10].find((part) => part * power >= size) ?? 10) * power
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function textOf(value: number): string {
  return value.toLocaleString('en-GB', { maximumSignificantDigits: 6 })
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
