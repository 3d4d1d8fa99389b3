import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const sources = import.meta.glob<string>(['../**/*.tsx', '!../**/*.test.tsx'], { eager: true, query: '?raw', import: 'default' })

/** Components whose styles are those of others. */
const made: Record<string, string[]> = { TextInput: ['Input'], Textarea: ['Input'], Select: ['Input', 'Combobox'], MultiSelect: ['Input', 'Combobox', 'PillsInput', 'Pill'], TagsInput: ['Input', 'Combobox', 'PillsInput', 'Pill'], Autocomplete: ['Input', 'Combobox'], JsonInput: ['Input'], NativeSelect: ['Input'], FileButton: [] }

test('every component of Mantine that is used has its styles', () => {
  const listed = readFileSync('src/mantine.ts', 'utf8')
  const used = new Set<string>()
  for (const text of Object.values(sources)) {
    for (const [, names] of text.matchAll(/import \{([^}]*)\} from '@mantine\/core'/g)) {
      for (const name of (names ?? '').split(',').map((n) => n.trim())) if (/^[A-Z]/.test(name)) used.add(name)
    }
  }
  expect(used.size).toBeGreaterThan(8)
  const missing = [...used]
    .flatMap((c) => made[c] ?? [c])
    .filter((c) => existsSync(`node_modules/@mantine/core/styles/${c}.css`) && !listed.includes(`styles/${c}.css`))
  expect(missing).toEqual([])
})
