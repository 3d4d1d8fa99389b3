import { expect, test } from 'vitest'
import type { Today } from '@/api/contract'
import { setLanguage } from '@/app/texts'
import { answer, finding, session, visit } from '@/test/render'

const quiet: Today = {
  needs: [], needs_total: 0, explained: 4, days: [{ day: '2026-03-24', made: 4, explained: 4, decided: 0, open: 0 }],
  changes: { principals: [], regions: [], resources: [], quiet: [] }, windows: { open: [], next: [] },
  coverage: { accounts: 3, days: 14, complete: 42, gaps: [], last_event: '2026-03-25T07:00:00Z' },
} as Today

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
  const gap = { from: '2026-03-20T02:00:00Z', to: '2026-03-20T04:00:00Z', reason: 'Nothing arrived from account 111122223333.' }
  answer({ 'GET /api/session': session, 'GET /api/today': { ...quiet, coverage: { ...quiet.coverage, complete: 41, gaps: [gap] } } })
  const { findByText, findAllByText } = visit('/')
  await findByText(/41 of 42 account-days/)
  expect((await findAllByText(/Nothing arrived from account/)).length).toBeGreaterThan(0)
})

test('without any log it says that it says nothing', async () => {
  answer({ 'GET /api/session': session, 'GET /api/today': { ...quiet, coverage: { accounts: 0, days: 14, complete: 0, gaps: [] } } })
  const { findByText } = visit('/')
  await findByText(/No log has arrived yet/)
})

test('in Japanese too', async () => {
  answer({ 'GET /api/session': session, 'GET /api/today': quiet })
  setLanguage('ja')
  const { findByText } = visit('/')
  await findByText('対応が必要なものはありません。')
})
