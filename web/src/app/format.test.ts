import { expect, test } from 'vitest'
import { ago, exact, second, span, valid } from './format'

const now = new Date('2026-03-25T08:00:00Z')

test('times relative to now, in both languages', () => {
  expect(ago('2026-03-25T07:57:00Z', now, 'en')).toBe('3 min. ago')
  expect(ago('2026-03-25T07:57:00Z', now, 'ja')).toBe('3 分前')
  expect(ago('2026-03-28T08:00:00Z', now, 'en')).toBe('in 3 days')
})

test("Go's zero time is no time", () => {
  expect(valid('0001-01-01T00:00:00Z')).toBe(false)
  expect(ago('0001-01-01T00:00:00Z', now, 'en')).toBe('')
  expect([valid(undefined), valid('yesterday'), valid('2026-03-25T08:00:00Z')]).toEqual([false, false, true])
})

test('UTC is UTC wherever the reader is', () => {
  expect(exact('2026-03-25T23:59:59Z', 'en', 'UTC')).toContain('23:59:59')
  expect(second('2026-03-25T00:00:01Z', 'ja')).toContain('00:00:01')
})

test('spans in two steps at most', () => {
  expect(span(3 * 3600 + 300 + 7, 'en')).toBe('3 hr 5 min')
  expect(span(86400, 'en')).toBe('1 day')
  expect(span(0, 'en')).toBe('0 sec')
})
