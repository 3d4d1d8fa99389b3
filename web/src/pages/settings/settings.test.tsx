import { expect, test } from 'vitest'
import { answer, session, visit } from '@/test/render'

test('who has a password may change it, and who has none is not asked for it', async () => {
  answer({ 'GET /api/session': session })
  const has = visit('/settings')
  await has.findByRole('button', { name: 'Change it' })
  await has.findByText(/Signed in by/)
  has.unmount()

  answer({ 'GET /api/session': { ...session, password_set: false } }) // came in by a link
  const none = visit('/settings')
  await none.findByText('Language')
  expect(none.queryByRole('button', { name: 'Change it' })).toBeNull()
  expect(none.queryByText(/Signed in by/)).toBeNull()
})
