// Where the story takes place: five hospitals, and who is in it.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Devnet, nodeAt, startDevnet } from './devnet.ts'
import { type StoryPatient, storyPatient } from './story-patient.ts'
import { createTeller, type Person, type Teller } from './story-teller.ts'

export type Story = {
  devnet: Devnet
  teller: Teller
  patient: StoryPatient
  people: {
    jill: Person
    // At the desks of the three hospitals that treat the patient.
    desks: readonly Person[]
    // At the fourth hospital.
    specialist: Person
    // At the fifth.
    ambulance: Person
  }
  close: () => Promise<void>
}

const TREATING = 3

export async function storyDevnet(write: (text: string) => void): Promise<Story> {
  write('Five hospitals start on this computer …\n')
  const devnet = await startDevnet('--nodes 5')
  const { folder } = devnet
  await writeFile(join(folder, 'passphrase'), 'nobody guesses this sentence\n', { mode: 0o600 })
  const patient = storyPatient(TREATING)
  write(`… and agree after ${devnet.readySeconds.toFixed(1)} s. The patient is ${patient.name}.\n`)
  const desk = (index: number): Person => {
    const node = nodeAt(devnet, index)
    return { name: `desk of ${node.name}`, node }
  }
  return {
    devnet,
    patient,
    teller: createTeller(devnet, write, () => nodeAt(devnet, 4)),
    people: {
      jill: { name: 'Jill', wallet: 'jill.json' },
      desks: [desk(0), desk(1), desk(2)],
      specialist: { name: 'specialist at hospital-3', node: nodeAt(devnet, 3) },
      ambulance: { name: 'ambulance at hospital-4', node: nodeAt(devnet, 4) },
    },
    close: devnet.close,
  }
}
