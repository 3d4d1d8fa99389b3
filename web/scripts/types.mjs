// Writes src/api/schema.ts from the description of the API that the server's own
// tests keep current. Lists are never null there (the server says [] instead),
// which the description cannot say, so that is put right on the way.
import { readFileSync, writeFileSync } from 'node:fs'
import openapiTS, { astToString } from 'openapi-typescript'

const from = new URL('../../api/testdata/openapi.json.golden', import.meta.url)
const to = new URL('../src/api/schema.ts', import.meta.url)

const description = JSON.parse(readFileSync(from, 'utf8'), (_, v) => {
  if (v && Array.isArray(v.type) && v.type.includes('null') && v.type.includes('array')) v.type = 'array'
  return v
})
const text = '// Made by scripts/types.mjs; not committed.\n' + astToString(await openapiTS(description))
let before = ''
try {
  before = readFileSync(to, 'utf8')
} catch {
  // the first time
}
if (before !== text) writeFileSync(to, text)
