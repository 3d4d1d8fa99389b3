import { expect, test } from 'vitest'
import { never, read, weekdayOf, write } from './repeat'
import { instant, wall } from './zone'

test.each([
  ['', 'never'], ['FREQ=DAILY', 'day'], ['FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU', 'week'], ['FREQ=MONTHLY', 'month'],
  ['FREQ=MONTHLY;BYDAY=2TU;UNTIL=20271231T235959Z', 'weekdayOfMonth'], ['FREQ=MONTHLY;BYDAY=-1SU', 'weekdayOfMonth'],
  ['FREQ=WEEKLY;COUNT=3', 'other'], ['FREQ=YEARLY', 'other'], ['FREQ=DAILY;UNTIL=20270101T120000Z', 'other'], ['FREQ=WEEKLY;INTERVAL=x', 'other'],
])('%s is read as %s and written as it was', (rule, every) => {
  expect(read(rule).every).toBe(every)
  expect(write(read(rule))).toBe(rule)
})

test('days are told in the order of the week', () => {
  expect(write({ ...never, every: 'week', days: ['SU', 'MO'] })).toBe('FREQ=WEEKLY;BYDAY=MO,SU')
  expect(weekdayOf('2026-03-25T09:00')).toBe('WE')
})

test('a wall clock is of its zone, in summer and winter', () => {
  expect(instant('2026-03-25T09:00', 'Asia/Tokyo')).toBe('2026-03-25T00:00:00Z')
  expect(instant('2026-01-25T09:00', 'Europe/Berlin')).toBe('2026-01-25T08:00:00Z')
  expect(instant('2026-07-25T09:00', 'Europe/Berlin')).toBe('2026-07-25T07:00:00Z')
  expect(instant('2026-10-25T02:30', 'Europe/Berlin')).toBe('2026-10-25T00:30:00Z') // takes place twice: the first
  expect(instant('2026-03-29T02:30', 'Europe/Berlin')).toBe('2026-03-29T01:30:00Z') // never takes place: the hour after
  expect(wall('2026-03-25T00:00:00Z', 'Asia/Tokyo')).toBe('2026-03-25T09:00')
  expect([instant('yesterday', 'UTC'), instant('2026-03-25T09:00', 'Mars/Base')]).toEqual(['', ''])
})
