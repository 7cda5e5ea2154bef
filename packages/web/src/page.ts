/**
 * What a page is: something to show, and whether it is made anew when a block becomes final.
 */

import type { Client } from '@mooring/api/client'

export interface Page {
  title: string
  body: readonly Node[]
}

export type ShowPage = (client: Client, argument: string) => Promise<Page>
