import { expect, test } from 'vitest'
import { conditions, has, quoted, term, toggled } from './filter'

test('values are in quotes where the language needs them', () => {
  expect(['high', 'a b', 'say "x"', 'back\\slash', 'or', '', '*', '(x)', 'arn:aws:s3:::b', '-x', '東京'].map(quoted)).toEqual([
    'high', '"a b"', '"say \\"x\\""', '"back\\\\slash"', '"or"', '""', '"*"', '"(x)"', 'arn:aws:s3:::b', '"-x"', '東京',
  ])
})

test('conditions stand apart at spaces outside of quotes and brackets', () => {
  expect(conditions(' a:1  title:"x ( y" (b:2 or c:3) -d:"\\"q" ')).toEqual(['a:1', 'title:"x ( y"', '(b:2 or c:3)', '-d:"\\"q"'])
})

test('a click adds a condition, and takes it out again', () => {
  const once = toggled('severity:high', 'account', '111122223333')
  expect(once).toBe('severity:high account:111122223333')
  expect(has(once, 'account', '111122223333')).toBe(true)
  expect(toggled(once, 'account', '111122223333')).toBe('severity:high')
})

test('what is left out is another condition than what is chosen', () => {
  const q = toggled('', 'owner', '', true)
  expect(q).toBe('-owner:""')
  expect([has(q, 'owner', ''), has(q, 'owner', '', true)]).toEqual([false, true])
})

test('an or keeps its meaning when something is added', () => {
  expect(toggled('a:1 or b:2', 'c', '3')).toBe('(a:1 or b:2) c:3')
})

test('hostile values come out whole', () => {
  const bad = 'x" or account:* or title:"'
  expect(conditions(`${term('title', bad)} b:2`)).toHaveLength(2)
})
