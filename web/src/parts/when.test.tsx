import { act } from '@testing-library/react'
import { afterEach, test } from 'vitest'
import { show } from '@/test/render'
import { setClock, When } from './when'

afterEach(() => act(() => setClock(new Date().toISOString(), Date.now())))

test('times are told by the clock of the server', async () => {
  const { findByText } = await show(<When at="2026-03-24T08:00:00Z" />)
  act(() => setClock('2026-03-24T11:00:00Z', Date.now()))
  await findByText('3 hr. ago')
})

test('a time that is none is none', async () => {
  const { findByText } = await show(<When at="0001-01-01T00:00:00Z" />)
  await findByText('never')
})
