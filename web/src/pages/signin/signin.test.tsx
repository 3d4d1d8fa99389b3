import { fireEvent } from '@testing-library/react'
import { expect, test } from 'vitest'
import { answer, session, visit } from '@/test/render'
import { ours } from './page'

test('one goes on to our own pages alone', () => {
  expect(['/findings?q=1', '//evil.example', '/\\evil.example', 'https://evil.example', undefined, ''].map(ours)).toEqual(['/findings?q=1', '/', '/', '/', '/', '/'])
})

const methods = { first_run: false, methods: { password: true, oidc: [{ id: 'corp', name: 'Corp' }] } }

test('a wrong password is said, and the form stays', async () => {
  const told = answer({ 'GET /api/signin': methods, 'POST /api/signin': () => Response.json({ status: 401, detail: 'no' }, { status: 401 }) })
  const { findByRole, getByLabelText, findByText } = visit('/signin')
  const button = await findByRole('button', { name: 'Sign in' })
  fireEvent.change(getByLabelText(/User/), { target: { value: 'kei' } })
  fireEvent.change(getByLabelText(/^Password/), { target: { value: 'wrong' } })
  fireEvent.submit(button.closest('form') as HTMLFormElement)
  await findByText('User or password is wrong.')
  expect(told.find((a) => a.method === 'POST')?.body).toEqual({ user: 'kei', password: 'wrong' })
})

test('providers are links that say where to come back to', async () => {
  answer({ 'GET /api/signin': methods })
  const { findByRole } = visit('/signin?to=%2Ffindings')
  expect((await findByRole('link', { name: 'With Corp' })).getAttribute('href')).toBe('/api/signin/oidc/corp?to=%2Ffindings')
})

test('before there is a user it says what to do', async () => {
  answer({ 'GET /api/signin': { ...methods, first_run: true } })
  const { findByText } = visit('/signin')
  await findByText('There is no user yet.')
})

test('two passwords that differ are not sent', async () => {
  const told = answer({ 'POST /api/first-run': session })
  window.location.hash = '#link=abc'
  const { findByRole, getByLabelText, findByText } = visit('/first-run')
  const button = await findByRole('button', { name: 'Make the admin' })
  fireEvent.change(getByLabelText(/^Password/), { target: { value: 'correct horse battery' } })
  fireEvent.change(getByLabelText(/again/), { target: { value: 'correct horse' } })
  fireEvent.submit(button.closest('form') as HTMLFormElement)
  await findByText('They are not the same.')
  expect(told.some((a) => a.method === 'POST')).toBe(false)
  window.location.hash = ''
})
