// Many things for one other side, in as few messages as their number and their size allow.

export interface CutLimits {
  readonly itemsMax: number
  readonly bytesMax: number
}

/** In their order; one that is too large by itself goes alone. */
export function cutToSize<T>(
  items: readonly T[],
  bytesOf: (item: T) => number,
  { itemsMax, bytesMax }: CutLimits,
): T[][] {
  const parts: T[][] = []
  let bytes = 0
  for (const item of items) {
    const size = bytesOf(item)
    const last = parts.at(-1)
    bytes += size
    if (last !== undefined && last.length < itemsMax && bytes <= bytesMax) last.push(item)
    else {
      parts.push([item])
      bytes = size
    }
  }
  return parts
}
