import { fireEvent, screen, waitFor } from '@testing-library/react'
import { expect, test } from 'vitest'
import { answer, session, visit } from '@/test/render'
import { bodyOf, linesOf } from './form'
import type { Entry } from './types'

/** A page is loaded when it is first shown. */
const patient = { timeout: 10_000 }

test('services are read one a line, each once', () => {
  expect(linesOf(' Notebooks.googleapis.com\n\ncompute.googleapis.com, notebooks.googleapis.com;')).toEqual(['notebooks.googleapis.com', 'compute.googleapis.com'])
})

test('a change keeps what is known of services that stay', () => {
  const before = { services: [{ id: 'a', name: 'A', from: '2026-01-01T00:00:00Z', note: 'trial' }] } as Entry
  const body = bodyOf({ services: 'a\nb', applied: '2026-02-03', approved: '', note: 'why' }, before)
  expect(body.services).toEqual([
    { id: 'a', from: '2026-01-01T00:00:00Z', until: undefined, note: 'trial' },
    { id: 'b', from: undefined, until: undefined, note: undefined },
  ])
  expect([body.applied, body.approved, body.note]).toEqual(['2026-02-03T00:00:00Z', undefined, 'why'])
})

test('the form says what a wish implies while one types', async () => {
  const implied = { service: 'compute.googleapis.com', name: 'Compute Engine', needed_by: 'notebooks.googleapis.com', needed_by_name: 'Vertex AI Workbench', always: true, why: 'w', source: 'https://example.com/why', text: 'Vertex AI Workbench needs Compute Engine' }
  const asked = answer({
    'GET /api/session': { ...session, role: 'responder' },
    'POST /api/register/implied': (a: { body: unknown }) => ((a.body as { services: string[] }).services.includes('compute.googleapis.com') ? { implied: [], unknown: [] } : { implied: [implied], unknown: ['odd.example'] }),
    'PUT /api/register/projects/kite-ml': { project: 'kite-ml', services: [], implied: [] },
  })
  visit('/projects/one?show=new')
  const box = await screen.findByLabelText(/Applied for/, {}, patient)
  fireEvent.change(box, { target: { value: 'notebooks.googleapis.com\nodd.example' } })
  await screen.findByText('Vertex AI Workbench needs Compute Engine', {}, patient)
  expect(document.body.textContent).toContain('whether it needs others is not known')
  fireEvent.click(screen.getByRole('button', { name: 'Add it: compute.googleapis.com' }))
  await waitFor(() => expect(screen.queryByText('Vertex AI Workbench needs Compute Engine')).toBeNull())
  fireEvent.change(screen.getByLabelText(/Project or account/), { target: { value: 'kite-ml' } })
  fireEvent.click(screen.getByRole('button', { name: 'Save' }))
  await waitFor(() => expect(asked.some((a) => a.method === 'PUT')).toBe(true))
  expect(asked.find((a) => a.method === 'PUT')?.body).toMatchObject({ services: [{ id: 'notebooks.googleapis.com' }, { id: 'odd.example' }, { id: 'compute.googleapis.com' }] })
})
