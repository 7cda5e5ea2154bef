// Lists that a node tells page by page.

// As many as a node puts on one.
const PAGE_MAX = 500

type Ask<T> = (page: {
  limit: number
  cursor?: string
}) => Promise<{ items: T[]; nextCursor: string | null }>

export async function upTo<T>(count: number, ask: Ask<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of itemsOf(ask, count)) all.push(item)
  return all
}

// One page in memory at a time.
export async function* itemsOf<T>(
  ask: Ask<T>,
  count = Number.POSITIVE_INFINITY,
): AsyncGenerator<T> {
  let cursor: string | null = null
  let left = count
  do {
    const limit = Math.min(PAGE_MAX, left)
    const page: Awaited<ReturnType<Ask<T>>> = await ask(
      cursor === null ? { limit } : { limit, cursor },
    )
    yield* page.items
    left -= page.items.length
    cursor = page.nextCursor
  } while (cursor !== null && left > 0)
}
