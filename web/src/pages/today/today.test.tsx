import { expect, test } from 'vitest'
import type { Today } from '@/api/contract'
import { setLanguage } from '@/app/texts'
import { answer, finding, session, visit } from '@/test/render'

const quiet: Today = {
  needs: [], needs_total: 0, explained: 4, days: [{ day: '2026-03-24', made: 4, explained: 4, decided: 0, open: 0 }],
  changes: { known: true, principals: [], regions: [], resources: [], quiet: [] }, windows: { open: [], next: [], ended: [] }, now: '2026-03-25T08:00:00Z', since: '2026-03-24T08:00:00Z', proposals: 0, reopened: [], reopened_total: 0,
  coverage: { accounts: 3, days: 14, complete: 42, late: 0, partial: 0, missing: 0, unknown: 0, gaps: [], gaps_total: 0, last_event: '2026-03-25T07:00:00Z' },
}

test('the answer comes first', async () => {
  answer({ 'GET /api/session': session, 'GET /api/today': { ...quiet, needs: [finding()], needs_total: 1 } })
  const { findByRole } = visit('/')
  await findByRole('heading', { level: 1, name: '1 thing needs you.' })
})

test('nothing is believed with what was seen', async () => {
  answer({ 'GET /api/session': session, 'GET /api/today': quiet })
  const { findByText } = visit('/')
  await findByText('Nothing needs you.')
  await findByText(/Every one of 42 account-days of the last 14 days arrived whole, from 3 accounts/)
})

test('a gap is said, and never counted as whole', async () => {
  const gap: Today['coverage']['gaps'][number] = { kind: 'silent', account: '111122223333', region: 'eu-west-1', from: '2026-03-20T02:00:00Z', to: '2026-03-20T04:00:00Z', reason: 'Nothing arrived from account 111122223333.' }
  answer({ 'GET /api/session': session, 'GET /api/today': { ...quiet, coverage: { ...quiet.coverage, complete: 41, partial: 1, gaps: [gap], gaps_total: 1 } } })
  const { findByText, findAllByText } = visit('/')
  await findByText(/41 of 42 account-days.*1 has gaps\./)
  expect((await findAllByText(/nothing arrived/)).length).toBeGreaterThan(0)
})

test('without any log it says that it says nothing', async () => {
  answer({ 'GET /api/session': session, 'GET /api/today': { ...quiet, coverage: { ...quiet.coverage, accounts: 0, complete: 0, last_event: undefined } } })
  const { findByText } = visit('/')
  await findByText(/No log has arrived yet/)
})

test('in Japanese too', async () => {
  answer({ 'GET /api/session': session, 'GET /api/today': quiet })
  setLanguage('ja')
  const { findByText } = visit('/')
  await findByText('対応が必要なものはありません。')
})
