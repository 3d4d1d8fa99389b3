import { fireEvent, screen, waitFor } from '@testing-library/react'
import { expect, test } from 'vitest'
import { answer, session, visit } from '@/test/render'
import { counted, dayAfter, months, objectName, weight, type Cell, type Matrix } from './days'

const cell = (day: string, state: Cell['state'], records = 0, reason = ''): Cell => ({ day, state, records, reason })
const days = ['2026-03-30', '2026-03-31', '2026-04-01']
const matrix: Matrix = {
  days,
  unplaced: 3,
  accounts: [
    { account: '111122223333', name: '', cells: [cell(days[0]!, 'unknown'), cell(days[1]!, 'complete', 40), cell(days[2]!, 'late', 4, 'Records of it still come.')] },
    { account: '111122223334', name: 'shop', cells: [cell(days[0]!, 'missing', 0, 'Nothing came.'), cell(days[1]!, 'partial', 3, 'One object is cut off.'), cell(days[2]!, 'complete', 9)] },
  ],
}
const report = { totals: { objects: 2, read: 60, stored: 56, duplicate: 3, quarantined: 1, expired: 0 }, coverage: [], gaps: [], quarantine: [{ object: 'a/b.json', position: 7, reason: 'not JSON' }], quarantine_more: 0, quarantine_superseded: 0, incomplete: [], incomplete_more: 0 }

const byFormat = {
  formats: [
    { format: 'okta.system', objects: 1, read: 8, stored: 4, duplicate: 1, quarantined: 3, expired: 0, reasons: [{ reason: 'no time, at byte …', records: 2 }], other_reasons: 1 },
    { format: '', objects: 2, read: 1, stored: 0, duplicate: 0, quarantined: 1, expired: 0, reasons: [{ reason: 'no format known', records: 1 }], other_reasons: 0 },
  ],
  aside: 3,
}

test('cells are counted by what is known of them', () => {
  expect(counted(matrix)).toEqual({ complete: 2, late: 1, partial: 1, missing: 1, unknown: 1 })
})

test('months are named where there is room', () => {
  expect(months(days).map((m) => m.day)).toEqual(['2026-04-01'])
  expect(months(['2026-03-20', ...Array.from({ length: 20 }, (_, i) => `2026-03-${10 + i}`)]).map((m) => m.at)).toEqual([0])
  expect(dayAfter('2026-02-28')).toBe('2026-03-01')
})

test('a thin day is paler, and none is darker than what came', () => {
  expect([weight(cell('d', 'complete', 100), 100), weight(cell('d', 'complete', 20), 100), weight(cell('d', 'complete', 1), 100)]).toEqual([3, 2, 1])
  expect(objectName('s3://bucket/AWSLogs/x.json.gz')).toBe('x.json.gz')
  expect(objectName('x/')).toBe('x/')
})

test('the page says what is not whole, and a day tells why', async () => {
  answer({ 'GET /api/session': session, 'GET /api/ledger/matrix': matrix, 'GET /api/ledger': report, 'GET /api/sources': { sources: [] }, 'GET /api/ledger/formats': byFormat, 'GET /api/ledger/objects': { objects: [], next: '' } })
  const { router } = visit('/ledger?account=111122223334&day=2026-03-31')
  await waitFor(() => expect(screen.getByText('3 days of accounts are not whole, of 5 that are known.')).toBeTruthy())
  expect(screen.getByText('One object is cut off.')).toBeTruthy()
  expect(screen.getByText(/^Beside it: 3 objects/)).toBeTruthy()
  expect(screen.getByRole('link', { name: 'Events of this day (3)' }).getAttribute('href')).toContain('account%3A111122223334')
  expect(screen.getByText('The configuration names no source.')).toBeTruthy()
  await waitFor(() => expect(screen.getByRole('row', { name: /^okta\.system 1 8 4 1 3 0/ })).toBeTruthy())
  expect(screen.getByRole('link', { name: 'okta.system' }).getAttribute('href')).toContain('format%3Aokta.system')
  expect(screen.getByText(/no time, at byte …/)).toBeTruthy()
  expect(screen.getByText('1 record for other reasons')).toBeTruthy()
  expect(screen.getByRole('row', { name: /^not known 2 1 0 0 1 0/ })).toBeTruthy()
  expect(screen.getByText('3 more objects are no logs and hold no records.')).toBeTruthy()
  const picture = screen.getByRole('application')
  expect(picture.getAttribute('aria-label')).toContain('1 not known')
  fireEvent.keyDown(picture, { key: 'ArrowDown' })
  fireEvent.keyDown(picture, { key: 'ArrowLeft' })
  fireEvent.keyDown(picture, { key: 'Enter' })
  await waitFor(() => expect(router.state.location.href).toContain('account=111122223333'))
  expect(router.state.location.href).toContain('day=2026-03-31')
})

test('a source that has stopped is said first', async () => {
  answer({
    'GET /api/session': session, 'GET /api/ledger/matrix': { days: [], accounts: [], unplaced: 0 }, 'GET /api/ledger': { ...report, quarantine: [] }, 'GET /api/ledger/formats': { formats: [], aside: 0 }, 'GET /api/ledger/objects': { objects: [], next: '' },
    'GET /api/sources': { sources: [{ name: '0:file', type: 'file', state: 'stopped', reason: 'too little free space', errors: 2, settings: [] }] },
  })
  visit('/ledger')
  await waitFor(() => expect(screen.getByText('1 source has stopped. Nothing is known of any day.')).toBeTruthy())
  expect(screen.getByText('too little free space')).toBeTruthy()
})
