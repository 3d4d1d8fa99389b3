import { expect, test } from 'vitest'
import { show } from '@/test/render'
import { Step } from './copy'

test('a step to run may be copied, and one in words is read', async () => {
  const { getAllByRole, getByText } = await show(
    <>
      <Step>gcloud logging sinks list # after seven days</Step>
      <Step>証跡の所有者に確認する</Step>
      <Step>aws-nuke is known to do this</Step>
    </>,
  )
  expect(getAllByRole('button')).toHaveLength(1)
  getByText('証跡の所有者に確認する')
})
