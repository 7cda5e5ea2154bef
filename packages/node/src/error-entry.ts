// One text of the catalogue. `meaning` may hold {names} that the data of an error fills in.

export type CatalogEntry = {
  mor: string
  title: string
  // HTTP status when it answers a request.
  status: number
  exitCode: number
  meaning: string
  fix: readonly string[]
}

export function entry(mor: number, exitCode: number, status = 500) {
  return (title: string, meaning: string, ...fix: string[]): CatalogEntry => ({
    mor: `MOR-${mor}`,
    title,
    status,
    exitCode,
    meaning,
    fix,
  })
}
