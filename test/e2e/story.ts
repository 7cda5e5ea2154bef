// A patient's story, on real nodes of this computer: `npm run story`.
//
// One patient of three hospitals gets a wallet, shows a specialist elsewhere the allergies and nothing else,
// takes a permission back, is helped in an emergency, loses the phone, and has a record erased. Every
// command is typed as a person would type it, every answer is checked, and each chapter ends with what of
// it stands on the chain. The story ends with 0 only when all of it came true.

import { storyDevnet } from './story-devnet.ts'
import { emergency } from './story-emergency.ts'
import { erasure } from './story-erasure.ts'
import { grants } from './story-grants.ts'
import { looking } from './story-log.ts'
import { beginnings } from './story-beginnings.ts'
import { recovery } from './story-recovery.ts'

const story = await storyDevnet((text) => process.stdout.write(text))
try {
  await beginnings(story)
  await grants(story)
  await looking(story)
  await emergency(story)
  await recovery(story)
  await erasure(story)
  process.stdout.write('\nAll of it came true.\n')
} catch (error) {
  process.stdout.write(
    `\nThe story ends here: ${error instanceof Error ? error.message : String(error)}\n`,
  )
  process.exitCode = 1
} finally {
  await story.close()
}
