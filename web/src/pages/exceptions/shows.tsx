import { getRouteApi } from '@tanstack/react-router'
import { address } from '@/parts/links'
import { Tabs } from '@/parts/tabs'
import { useTexts } from './texts'

const page = getRouteApi('/in/exceptions')
const shows = ['exceptions', 'windows', 'proposals', 'tuning'] as const

/** The part that the address names: exceptions where it names none there is. */
export function useShow() {
  const { show } = page.useSearch()
  return shows.find((s) => s === show) ?? 'exceptions'
}

/** The parts of the page. */
export function Shows() {
  const t = useTexts()
  const show = useShow()
  return (
    <Tabs
      label={t('shows')}
      tabs={shows.map((s) => ({
        href: address('/exceptions', { show: s === 'exceptions' ? undefined : s }),
        text: t(`show.${s}`),
        current: s === show,
      }))}
    />
  )
}
