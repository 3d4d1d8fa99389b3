import { fireEvent, screen, waitFor } from '@testing-library/react'
import { expect, test } from 'vitest'
import { answer, session, visit } from '@/test/render'

const exception = {
  id: 'ex1', title: 'nightly copy', scope: 'rule:copy', owner: 'kei', reason: 'agreed', from: '2026-03-01T00:00:00Z', until: '2026-09-01T00:00:00Z', state: 'active',
  by: 'kei', at: '2026-03-01T00:00:00Z', explains: 3, evidence: [],
}

const answers = {
  'GET /api/session': { ...session, role: 'responder' },
  'GET /api/exceptions/ex1': () => Response.json(exception, { headers: { ETag: '"one.two"' } }),
  'POST /api/exceptions/preview': { days: [], findings: 0, critical: 0, by_severity: {}, sample: [] },
  'GET /api/findings/facets': { total: 0, facets: [] },
  'GET /api/exceptions': { exceptions: [] },
}

test('a change says which version it is of, and is told when there is a newer one', async () => {
  const told = answer({ ...answers, 'PATCH /api/exceptions/ex1': () => Response.json({ status: 412, detail: 'somebody changed it' }, { status: 412 }) })
  visit('/exceptions?open=ex1')
  fireEvent.click(await screen.findByRole('button', { name: 'Save' }))
  expect((await screen.findByRole('alert')).textContent).toContain('no longer as the page shows it')
  expect(told.find((a) => a.method === 'PATCH')?.headers.get('If-Match')).toBe('"one.two"')
})

test('what is taken back is that version too, and the list comes next', async () => {
  const told = answer({ ...answers, 'DELETE /api/exceptions/ex1': () => new Response(null, { status: 204 }) })
  const { router } = visit('/exceptions?open=ex1')
  fireEvent.click(await screen.findByRole('button', { name: 'Take it back' }))
  await waitFor(() => expect(router.state.location.search).toEqual({}))
  expect(told.find((a) => a.method === 'DELETE')?.headers.get('If-Match')).toBe('"one.two"')
})

test('an address that there is not has the way to every page', async () => {
  answer(answers)
  visit('/no/such')
  expect(await screen.findByText('There is no such page.')).toBeTruthy()
  expect(screen.getByRole('navigation').querySelectorAll('a').length).toBeGreaterThan(5)
})
