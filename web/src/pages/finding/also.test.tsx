import { fireEvent, screen, waitFor } from '@testing-library/react'
import { expect, test } from 'vitest'
import type { Finding } from '@/api/contract'
import { AlsoBy } from '@/parts/finding'
import { answer, finding, session, show } from '@/test/render'
import { Also } from './also'

const report: Finding['also_reported_by'][number] = {
  key: 'k2', source: 'guardduty', product: 'GuardDuty', uid: 'arn:aws:guardduty:eu-west-1:111122223333:detector/d1/finding/f1', title: 'Secrets were read oddly', severity: 'medium',
  status: 'suppressed', status_own: 'archived', link: 'javascript:alert(1)', last_seen: '2026-03-24T10:30:00Z', same: { subject: 'a', trouble: 'T1555.006' },
}

const plan = { id: 'p1', product: 'GuardDuty', as: 'as tester', calls: [{ operation: 'ArchiveFindings', region: 'eu-west-1', method: 'POST', url: 'https://guardduty.example/x', body: { findingIds: ['f1'] } }], why: '', commands: [], sent: [] }

test('who else reports it, with the status there, and no link that is none', async () => {
  answer({ 'GET /api/session': session })
  const { container } = await show(<Also of={finding({ also_reported_by: [report] })} />)
  expect(container.textContent).toContain('Secrets were read oddly')
  expect(container.textContent).toContain('archived (there)')
  expect(container.querySelector('a[href^="javascript"]')).toBeNull()
  expect(screen.queryByRole('button', { name: /would be told/ })).toBeNull() // she is an analyst
})

test('what a rule says of each part is one line, and no other product is said to report it', async () => {
  answer({ 'GET /api/session': session })
  const parts = { ...report, key: 'k5', source: 'yagura', product: 'Yagura', uid: '', title: 'Call refused', severity: 'low', status: '', status_own: undefined, link: undefined, rule: 'r-1', count: 23 }
  const f = finding({ key: 'k1', also_reported_by: [parts] })
  const { container } = await show(<><Also of={f} /><AlsoBy of={f} /></>)
  expect(container.textContent).toContain('23 findings')
  expect(container.textContent).not.toContain('Also reported by')
  expect(container.textContent).not.toContain('Yagura')
  expect(decodeURIComponent(container.querySelector('a')?.getAttribute('href') ?? '')).toContain('folded_into:k1+rule:r-1')
})

test('why it stands beside another', async () => {
  answer({ 'GET /api/session': session })
  const { container } = await show(<Also of={finding({ apart: { beside: 'k9', why: 'seen_again', value: '2026-03-24T10:30:00Z', than: '2026-03-24T09:00:00Z', text: 'Scout saw it after the other was decided.' } })} />)
  expect(container.textContent).toContain('after the other was decided')
  expect(container.querySelector('a')?.getAttribute('href')).toContain('k9')
})

test('a responder sees what would be sent, and then sends that', async () => {
  const asked = answer({
    'GET /api/session': { ...session, role: 'responder' },
    'GET /api/findings/k2/write-back': plan,
    'POST /api/findings/k2/write-back': { at: '2026-03-24T10:30:00Z', by: 'kei', step: 'done', text: 'archived' },
  })
  await show(<Also of={finding({ also_reported_by: [report] })} />)
  fireEvent.click(await screen.findByRole('button', { name: /would be told/ }))
  await screen.findByText(/ArchiveFindings/)
  expect(asked.filter((a) => a.method === 'POST')).toHaveLength(0)
  fireEvent.click(screen.getByRole('button', { name: 'Send it' }))
  await waitFor(() => expect(asked.find((a) => a.method === 'POST')?.body).toEqual({ plan: 'p1' }))
})

test('where nothing can be sent, it says why', async () => {
  answer({ 'GET /api/session': { ...session, role: 'admin' }, 'GET /api/findings/k2/write-back': { ...plan, id: '', calls: [], why: 'Falco keeps no status', commands: ['falcoctl x'] } })
  await show(<Also of={finding({ also_reported_by: [report] })} />)
  fireEvent.click(await screen.findByRole('button', { name: /would be told/ }))
  expect((await screen.findByText(/Nothing is sent/)).textContent).toContain('Falco keeps no status')
  expect(screen.queryByRole('button', { name: 'Send it' })).toBeNull()
})
