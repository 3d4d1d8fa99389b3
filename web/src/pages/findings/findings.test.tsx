import { fireEvent, waitFor } from '@testing-library/react'
import { expect, test } from 'vitest'
import { answer, finding, session, visit } from '@/test/render'
import { asked, asWritten } from './ask'

test('the list asks for what it shows', () => {
  expect(asked('open', '', 'kei')).toBe('status:(new or in_progress) explained:false')
  expect(asked('open', 'a:1 or b:2', 'kei')).toBe('(a:1 or b:2) status:(new or in_progress) explained:false')
  expect(asked('mine', '', 'o hara')).toContain('assignee:"o hara"')
  expect(asked('all', ' x:1 ', '')).toBe('x:1')
})

test('an error names the place in what was written', () => {
  expect(asWritten('column 4: there is no field "x"', 'open')).toBe('column 3: there is no field "x"')
  expect(asWritten('column 4: there is no field "x"', 'all')).toBe('column 4: there is no field "x"')
})

const page = {
  'GET /api/session': session,
  'GET /api/views': { views: [] },
  'GET /api/findings/facets': { total: 2, facets: [{ field: 'severity', values: [{ value: 'high', count: 1 }, { value: 'low', count: 1 }] }] },
  'GET /api/findings': { findings: [finding(), finding({ key: 'k2', title: 'second' })], next: '', total: 2 },
}

test('keys decide, and u takes it back', async () => {
  const told = answer({ ...page, 'POST /api/decisions': { group: 'g1', decided: 1, failed: [] }, 'POST /api/decisions/undo': { undone: 1 } })
  const { findByRole, findByText } = visit('/findings')
  await findByRole('heading', { name: /2 findings are open/ })
  fireEvent.keyDown(window, { key: 'j' })
  fireEvent.keyDown(window, { key: 'e' })
  await findByText(/Expected: prod\/db was read/)
  expect(told.find((a) => a.path === '/api/decisions')?.body).toEqual({ keys: ['k1'], decision: { verdict: 'expected', status: 'resolved' } })
  fireEvent.keyDown(window, { key: 'u' })
  await waitFor(() => expect(told.find((a) => a.path === '/api/decisions/undo')?.body).toEqual({ group: 'g1' }))
})

test('what is set aside is asked for with the rest', async () => {
  const told = answer(page)
  const { findByRole } = visit('/findings')
  fireEvent.click(await findByRole('button', { name: 'and what is set aside' }))
  await waitFor(() => expect(told.filter((a) => a.path === '/api/findings').at(-1)?.query.toString()).toContain('demoted=true&staged=true&folded=true'))
  expect(told.filter((a) => a.path === '/api/findings/facets').at(-1)?.query.get('staged')).toBe('true')
})

test('keys do nothing while somebody types', async () => {
  const told = answer(page)
  const { findByRole, getByRole } = visit('/findings')
  await findByRole('heading', { name: /2 findings are open/ })
  fireEvent.keyDown(window, { key: 'j' })
  fireEvent.keyDown(getByRole('textbox', { name: 'Filter' }), { key: 'e' })
  expect(told.some((a) => a.method === 'POST')).toBe(false)
})

test('a viewer is told what is needed, and nothing is sent', async () => {
  const told = answer({ ...page, 'GET /api/session': { ...session, role: 'viewer' } })
  const { findByRole, findByText } = visit('/findings')
  await findByRole('heading', { name: /2 findings are open/ })
  fireEvent.keyDown(window, { key: 'j' })
  fireEvent.keyDown(window, { key: 'f' })
  await findByText(/Needs the role analyst; yours is viewer/)
  expect(told.some((a) => a.method === 'POST')).toBe(false)
})

test('a filter that cannot be read says where', async () => {
  answer({ ...page, 'GET /api/findings': () => Response.json({ status: 422, detail: 'column 3: there is no field "bogus"' }, { status: 422 }) })
  const { findByText } = visit('/findings?q=bogus:1')
  await findByText(/column 2: there is no field/)
})

test('without a session one is sent to sign in, and comes back', async () => {
  answer({ 'GET /api/session': () => Response.json({ status: 401, detail: 'sign in' }, { status: 401 }), 'GET /api/signin': { first_run: false, methods: { password: true, oidc: [] } } })
  const { router, findByRole } = visit('/findings?q=a:1')
  await findByRole('button', { name: 'Sign in' })
  expect(router.state.location.search).toEqual({ to: '/findings?q=a%3A1' })
})
