import { fireEvent, screen, waitFor } from '@testing-library/react'
import { beforeEach, expect, test } from 'vitest'
import type { Board, PanelAnswer, PanelShown } from '@/api/contract'
import { setLanguage } from '@/app/texts'
import { answer, session, visit } from '@/test/render'
import { bucketTime, eventsOf, paramsOf, timeOf, withWords } from './ask'

const shown: PanelShown = {
  since: '2026-03-20T08:00:00Z', until: '2026-03-25T08:00:00Z', state: 'known', columns: [{ name: 'status_code', type: 'text' }, { name: 'account_uid', type: 'text' }, { name: 'count', type: 'number' }],
  rows: [['constraints/gcp.restrictServiceUsage', 'harbour-ml', 37], ['', 'shop', 2], [null, null, 5]], series: [], start: '2026-03-20T00:00:00Z', width: 0, total: 44, of: 0, more: '',
  marks: [{ series: 0, bucket: 0, seen: 37, low: 0, high: 4, score: 9.1, below: false }], past: { state: 'judged', weeks: 4, needs: 2 },
  search: 'format:gcp.audit outcome:denied_by_org_policy', keys: ['status_code', 'account_uid'],
}

const panel = (id: string, show: PanelAnswer['show'], a: Partial<PanelShown>): PanelAnswer => ({
  id, title: `Panel ${id}`, description: '', query: id, version: 1, show, wide: false, sql: false, problem: '', seconds: 0.1, answer: { ...shown, ...a },
})

const board: Board = {
  id: 'gcp-audit', version: 3, title: 'Google Cloud audit', description: 'What policies refused.', span: 604_800, builtin: true,
  parameters: [{ name: 'account', title: 'Project', type: 'text', default: '', choices: [] }],
  panels: [panel('denials', 'table', {}), panel('keys', 'table', {}), panel('over', 'timeline', {})].map(({ answer: _a, problem: _p, seconds: _s, ...p }) => p),
}

const answers: Record<string, PanelAnswer> = {
  denials: panel('denials', 'table', {}),
  keys: panel('keys', 'table', { state: 'no_log', rows: [], marks: [], log: { name: 'data access logs', count: 0 } }),
  over: panel('over', 'timeline', {
    rows: [], columns: [{ name: 'caller', type: 'text' }], keys: ['caller'], start: '2026-03-25T00:00:00Z', width: 3600, state: 'began', log: { name: 'audit logs', count: 9, first: '2026-03-25T01:00:00Z', last: '2026-03-25T07:00:00Z' },
    series: [{ by: ['console'], rest: false, total: 9, counts: [-1, 0, 9] }, { by: [], rest: true, total: 3, counts: [-1, 1, 2] }], marks: [{ series: 0, bucket: 2, seen: 9, low: 0, high: 1, score: 6, below: false }],
    past: { state: 'judged', weeks: 4, needs: 2 },
  }),
}

function asking() {
  return answer({
    'GET /api/session': session,
    'GET /api/dashboards': { dashboards: [board], next: '' },
    'GET /api/views': { views: [], next: '' },
    'GET /api/dashboards/gcp-audit/choices': { values: ['harbour-ml', 'shop'] },
    'GET /api/dashboards/gcp-audit': (a: { query: URLSearchParams }) => ({ id: board.id, version: 3, since: shown.since, until: shown.until, panels: [answers[a.query.get('panel') ?? '']] }),
  })
}

beforeEach(() => setLanguage('en'))

test('the list tells of those of files', async () => {
  asking()
  visit('/dashboards')
  await waitFor(() => expect(screen.getByRole('link', { name: 'Google Cloud audit' }).getAttribute('href')).toBe('/dashboards/gcp-audit'))
  expect(document.body.textContent).toContain('3 panels')
})

test('marks say what is usual, counts lead to their events, and a log that is not there is said', async () => {
  const asked = asking()
  visit('/dashboards/gcp-audit?account=harbour-ml%2Cx')
  await waitFor(() => expect(document.body.textContent).toContain('37, usual 0–4'))
  await waitFor(() => expect(screen.getByRole('heading', { level: 1 }).textContent).toBe('Google Cloud audit: 2 counts are unusual, 1 panel has no log to rest on'))
  expect(document.body.textContent).toContain('No record of this has come in: data access logs')
  expect(document.body.textContent).toContain('The log begins')
  const link = screen.getAllByRole('link').find((l) => l.textContent?.includes('restrictServiceUsage'))
  expect(new URL(link?.getAttribute('href') ?? '', 'http://x').searchParams.get('q')).toBe('format:gcp.audit outcome:denied_by_org_policy status_code:constraints/gcp.restrictServiceUsage account_uid:harbour-ml')
  const one = asked.find((a) => a.path === '/api/dashboards/gcp-audit')
  expect(one?.query.getAll('param')).toEqual(['account=harbour-ml,x'])
  expect(new Date(one?.query.get('until') ?? '').getTime() - new Date(one?.query.get('since') ?? '').getTime()).toBe(604_800_000)
})

test('with too little past nothing is said to be usual', async () => {
  const short: PanelShown['past'] = { state: 'short', weeks: 1, needs: 2 }
  const kept = { ...answers }
  for (const [id, a] of Object.entries(kept)) answers[id] = { ...a, answer: { ...shown, ...a.answer, marks: [], past: short } }
  asking()
  visit('/dashboards/gcp-audit')
  await waitFor(() => expect(screen.getByRole('heading', { level: 1 }).textContent).toBe('Google Cloud audit: what is unusual cannot be told yet, 1 panel has no log to rest on'))
  Object.assign(answers, kept)
})

test('a parameter that is chosen stands in the address', async () => {
  asking()
  const { router } = visit('/dashboards/gcp-audit')
  const box = await screen.findByRole('combobox', { name: 'Project' })
  fireEvent.click(box)
  fireEvent.click(await screen.findByRole('option', { name: 'shop', hidden: true }))
  await waitFor(() => expect(router.state.location.search).toEqual({ account: 'shop' }))
})

test('in Japanese', async () => {
  asking()
  setLanguage('ja')
  visit('/dashboards/gcp-audit')
  await waitFor(() => expect(document.body.textContent).toContain('37 (通常 0–4)'))
  expect(document.body.textContent).toContain('判断できません')
})

test('one that there is not', async () => {
  asking()
  visit('/dashboards/nosuch')
  await waitFor(() => expect(document.body.textContent).toContain('There is no such dashboard'))
})

test('where counts lead', () => {
  const time = { since: 'a', until: 'b' }
  const q = (a: PanelShown, values?: unknown[]) => new URL(eventsOf(a, values, time) ?? 'x:', 'http://x').searchParams.get('q')
  expect(q(shown, ['', 'shop'])).toBe('format:gcp.audit outcome:denied_by_org_policy not status_code:* account_uid:shop')
  expect(eventsOf(shown, [null, null], time)).toBeUndefined()
  expect(eventsOf({ ...shown, search: '' }, ['a', 'b'], time)).toBeUndefined()
  expect(q({ ...shown, search: 'a:1 or b:2' }, ['x', 'y z'])).toBe('(a:1 or b:2) status_code:x account_uid:"y z"')
  expect(q({ ...shown, search: 'a:" or " b:(1 or 2)', keys: [] }, [])).toBe('a:" or " b:(1 or 2)')
  expect(bucketTime({ ...shown, width: 3600 }, 2)).toEqual({ since: '2026-03-20T02:00:00.000Z', until: '2026-03-20T03:00:00.000Z' })
  expect(paramsOf(board, { account: 'a=b', other: 'x' })).toEqual(['account=a=b'])
  expect(withWords({ a: '1', b: '2' }, { a: undefined, c: '3' })).toEqual({ b: '2', c: '3' })
  expect(timeOf(board, { since: 's' }, new Date())).toEqual({ since: 's' })
})

test('a name that begins with two slashes stays a value', () => {
  const a: PanelShown = { ...shown, keys: ['resource_uid'] }
  expect(new URL(eventsOf(a, ['//iam.googleapis.com/projects/p'], { since: 'a', until: 'b' }) ?? '', 'http://x').searchParams.get('q')).toContain('resource_uid:"//iam.googleapis.com/projects/p"')
})
