import { screen, waitFor } from '@testing-library/react'
import { expect, test } from 'vitest'
import { answer, session, visit } from '@/test/render'
import type { Told } from './types'

/** A page is loaded when it is first shown. */
const patient = { timeout: 10_000 }

const run = (more: object) => ({
  lane: 'cloud:gcp:kite-ml', first: '2026-03-03T09:05:00Z', last: '2026-03-03T09:05:00Z', count: 1, text: 'enables notebooks.googleapis.com in kite-ml', act: 'enable', notable: true,
  operation: 'EnableService', service: 's', account: 'kite-ml', outcome: 'success', status_code: '', actor: 'mei@example.com', address: '', things: [], more_things: 0, rule: 'name', inferred: false,
  query: 'actor_uid:mei@example.com', since: '2026-03-03T09:05:00Z', until: '2026-03-03T09:05:00.001Z', ...more,
})

const told = {
  since: '2026-03-03T08:00:00Z', until: '2026-03-03T12:00:00Z', notes: ['No log of devices comes in: what was done there is not known'], events: 7, more: false,
  identities: [{ uid: 'mei@example.com', rule: 'name', inferred: false, text: 'mei@example.com', query: 'actor_uid:mei@example.com', events: 1 }],
  lanes: [{ id: 'cloud:gcp:kite-ml', kind: 'cloud', name: 'kite-ml', provider: 'GCP', gaps: [{ from: '2026-03-03T10:00:00Z', to: '2026-03-03T11:00:00Z', reason: 'No record came' }] }],
  runs: [run({}), run({ count: 6, first: '2026-03-03T09:06:00Z', text: 'asks for a machine: refused 6 times', outcome: 'denied_by_org_policy', inferred: true, rule: 'finding' })],
} as unknown as Told

test('what somebody did is told in words that lead to records, and what is inferred says so', async () => {
  const asked = answer({ 'GET /api/session': session, 'GET /api/people/mei%40example.com/timeline': told })
  visit('/people?who=mei@example.com&around=abc')
  await waitFor(() => expect(document.querySelector('ol')).toBeTruthy(), patient)
  expect(asked.find((a) => a.path.startsWith('/api/people'))?.query.get('around')).toBe('abc')
  const lines = [...document.querySelectorAll('ol li')]
  expect(lines.map((l) => [l.querySelector('a')?.textContent, l.textContent?.includes('inferred, not logged')])).toEqual([
    ['enables notebooks.googleapis.com in kite-ml', false],
    ['asks for a machine: refused 6 times', true],
  ])
  expect(lines[0]?.querySelector('a')?.getAttribute('href')).toContain('/search?q=actor_uid%3Amei%40example.com&since=2026-03-03T09%3A05%3A00Z')
  // What is not known stands before what is made of what is seen.
  expect(screen.getByRole('note').textContent).toContain('No log of devices comes in')
  expect(screen.getByRole('note').textContent).toContain('No record came')
})

test('nothing seen leads to the latest event, and nobody is asked for without a name', async () => {
  answer({ 'GET /api/session': session, 'GET /api/people/mei/timeline': { ...told, runs: [], lanes: [], notes: [], identities: [], events: 0, latest: '2026-03-01T09:00:00Z' } })
  visit('/people?who=mei')
  const link = await screen.findByText('Look there', {}, patient)
  expect(link.getAttribute('href')).toBe('/people?who=mei&until=2026-03-01T10%3A00%3A00.000Z')
})
