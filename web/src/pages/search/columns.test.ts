import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { inJapanese } from './columns.ja'

test('every column of events is described in Japanese', () => {
  const columns = [...readFileSync('../docs/columns.md', 'utf8').matchAll(/^\| `([a-z_]+)`/gm)].map((m) => m[1] ?? '')
  expect(columns.length).toBeGreaterThan(40)
  expect(columns.filter((c) => !inJapanese[c])).toEqual([])
})
