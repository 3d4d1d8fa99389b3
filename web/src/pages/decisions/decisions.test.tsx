import { fireEvent, screen, waitFor } from '@testing-library/react'
import { beforeEach, expect, test } from 'vitest'
import { setLanguage } from '@/app/texts'
import { answer, session, visit } from '@/test/render'
import { evidenceOf, linesOf, suggestions } from './form'
import { measured } from './one'
import { subjectAddress, type Decision } from './types'

function decision(more: Partial<Decision> = {}): Decision {
  return {
    id: 'dec-1', title: 'Daily recording of interfaces', about: [{ kind: 'advice', id: 'k', title: 'AWS::EC2::NetworkInterface', account: '111122223333' }], verdict: 'deferred', status: 'waiting', reason: 'Control Tower',
    owner: 'kei', accounts: [], revisit: '2027-03-01', triggers: [{ text: 'items:111122223333:T>600000', kind: 'items', said: 'more than 600,000 items', reading: '510000', unread: '' }, { text: 'news:recorder', kind: 'news', said: 'news of the recorder', reading: '', unread: 'News are not read yet.' }],
    reopened: [], asked: [], figures: [], evidence: [], saving: { month: 1519.2, currency: 'USD' }, by: 'kei', at: '2026-03-20T00:00:00Z', decided: '2026-03-20T00:00:00Z', changed: '2026-03-20T00:00:00Z', version: 1, ...more,
  }
}

const back = decision({ id: 'dec-2', title: 'Role <b>x</b>', status: 'reopened', reopened: [{ trigger: 'date:2026-03-24', value: '', at: '2026-03-24T00:00:00Z', said: 'The day has come.' }] })
const quarters = [{ quarter: '2026-Q1', currency: 'USD', found: 2269.8, done: 756.36, saved: 100, lost: 300 }]

function asking(one = decision()) {
  return answer({
    'GET /api/session': session, 'GET /api/decisions': { decisions: [back, decision()], reopened: 1, next: '' }, 'GET /api/decisions/summary': { quarters, undecided: [{ month: 756.36, currency: 'USD' }], undecided_known: true },
    'GET /api/decisions/dec-2': back, 'GET /api/decisions/dec-1': one,
    'GET /api/decisions/dec-1/history': { id: 'dec-1', changes: [{ at: '2026-03-20T00:00:00Z', by: 'kei', note: 'first', action: 'create', verdict_before: '', verdict: 'deferred', text: 'made' }] },
    'GET /api/decisions/dec-2/history': { id: 'dec-2', changes: [] },
    'GET /api/cost/advice': { advice: [{ key: 'k', title: 'Record AWS::EC2::NetworkInterface daily in 111122223333', kind: 'recording', account: '111122223333', account_name: '', region: '', resource_type: 'AWS::EC2::NetworkInterface', items: 510_000, resource_days: 900, saving_month: 1519.2, currency: 'USD', verdict: 'not_advised', basis: 'metric', confidence: 1, reason: '', lost: '', plan: [], undo: [], sources: [], decision: '' }], currency: 'USD', total_saving_month: 0, total_actionable_month: 0 },
    'POST /api/decisions/new': decision(), 'POST /api/decisions/dec-1/questions': decision(), 'PUT /api/decisions/dec-1': decision(),
    'GET /api/decisions/dec-1/dossier': (a: { query: URLSearchParams }) => new Response(`# Dossier ${a.query.get('lang')} ${a.query.get('masked') ?? ''}\u202e`),
  })
}

beforeEach(() => setLanguage('en'))

test('what came back stands first and is the answer', async () => {
  asking()
  visit('/decisions')
  await screen.findByRole('heading', { level: 1, name: '1 decision wants to be looked at again' })
  await screen.findByText(/Advice worth 756.36 USD a month is not decided about/)
  expect(screen.getByRole('grid', { name: 'Decisions' }).getAttribute('aria-rowcount')).toBe('3')
  await screen.findByText('2026-Q1')
})

test('one says what reopens it, and what nobody would see', async () => {
  asking()
  visit('/decisions/dec-1')
  await screen.findByRole('heading', { level: 1, name: 'Daily recording of interfaces' })
  await screen.findByText('now 510,000')
  await screen.findByText('News are not read yet.')
  expect((await screen.findByRole('link', { name: 'AWS::EC2::NetworkInterface' })).getAttribute('href')).toBe('/cost?show=advice&open=k')
  visit('/decisions/dec-2')
  await screen.findByText('The day has come.')
})

test('figures say what they are and how they are known, those of others in their words', async () => {
  const at = '2026-03-20T00:00:00Z'
  asking(decision({ figures: [{ name: 'resource_days', of: 'T', value: '900', basis: 'history', at }, { name: 'cups_of_tea', of: 'us', value: '7', basis: 'counted by mei', at }] }))
  setLanguage('ja')
  visit('/decisions/dec-1')
  await screen.findByText('変更のあったリソースの延べ日数（30 日間）')
  await screen.findByText('設定履歴')
  await screen.findByText('cups of tea')
  await screen.findByText('counted by mei')
})

test('an advice is deferred with what the form was told', async () => {
  const asked = asking()
  const { router } = visit('/decisions?new=advice&about=k&account=111122223333')
  fireEvent.change(await screen.findByLabelText(/^Why/), { target: { value: 'Control Tower' } })
  fireEvent.click(screen.getByRole('button', { name: 'Keep the decision' }))
  await screen.findByText(/needs a day to look at it again/)
  fireEvent.click((await screen.findAllByRole('button', { name: 'Take this one' }))[0] as HTMLElement)
  fireEvent.click(screen.getByRole('button', { name: 'Keep the decision' }))
  await waitFor(() => expect(router.state.location.pathname).toBe('/decisions/dec-1'))
  expect(asked.find((a) => a.method === 'POST')?.body).toEqual({
    about: [{ kind: 'advice', id: 'k', account: '111122223333' }], verdict: 'deferred', reason: 'Control Tower', owner: 'kei', triggers: ['items:111122223333:AWS::EC2::NetworkInterface>612000'], evidence: [],
  })
})

test('a question is written down', async () => {
  const asked = asking()
  visit('/decisions/dec-1')
  fireEvent.click(await screen.findByRole('button', { name: 'Note what was asked' }))
  fireEvent.change(screen.getByLabelText('Who was asked'), { target: { value: 'AWS' } })
  fireEvent.change(screen.getByLabelText('Question'), { target: { value: 'Is it planned?' } })
  fireEvent.click(screen.getByRole('button', { name: 'Keep' }))
  await waitFor(() => expect(asked.find((a) => a.method === 'POST')?.body).toEqual({ vendor: 'AWS', question: 'Is it planned?' }))
})

test('a dossier is shown in either language, masked if wanted, and as text', async () => {
  asking()
  visit('/decisions/dec-1?show=dossier')
  await screen.findByText(/# Dossier en U\+202E/)
  fireEvent.click(screen.getByLabelText('Accounts and people under aliases'))
  await screen.findByText(/# Dossier en 1/)
  fireEvent.click(screen.getByLabelText('日本語'))
  await screen.findByText(/# Dossier ja 1/)
})

test('a viewer reads and does not decide', async () => {
  asking()
  answer({ 'GET /api/session': { ...session, role: 'viewer' }, 'GET /api/decisions': { decisions: [], reopened: 0, next: '' } })
  visit('/decisions?new=other')
  await screen.findByText('Deciding needs the role analyst.')
  expect(screen.queryByRole('link', { name: 'New decision' })).toBeNull()
  await screen.findByText('There is no decision yet')
})

test('figures are written as the commands write them', () => {
  const plain = (...of: [string, string, string]) => measured(...of, 'ja').replace('\u00a0', ' ')
  expect(plain('saving_month', '1519.2', 'USD')).toBe('1,519.20 USD')
  expect(plain('price', '0.003', 'USD')).toBe('0.003 USD')
  expect(plain('price', '0.003', '')).toBe('0.003')
  expect(plain('saving', '2000', '')).toBe('2,000')
  expect(plain('items', '510000', '')).toBe('510,000')
  expect(plain('tasks', 'many', 'a day')).toBe('many a day')
})

test('what the form works out', () => {
  expect(linesOf(' a \n\n b')).toEqual(['a', 'b'])
  expect(evidenceOf('AWS says so https://example.com/x')).toEqual({ text: 'AWS says so', link: 'https://example.com/x' })
  expect(evidenceOf('javascript:alert(1)')).toEqual({ text: 'javascript:alert(1)' })
  expect(suggestions(undefined)).toEqual([])
  expect(suggestions({ account: '1', resource_type: 'T', items: null, saving_month: 100, key: 'k' })).toEqual(['saving>150'])
  expect(subjectAddress({ kind: 'other', id: 'x' } as never)).toBeUndefined()
  expect(subjectAddress({ kind: 'finding', id: 'a/b' } as never)).toBe('/findings/a%2Fb')
})
