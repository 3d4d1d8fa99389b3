import { getRouteApi } from '@tanstack/react-router'
import { address } from '@/parts/links'
import { Tabs } from '@/parts/tabs'
import { ExceptionDraft } from './draft'
import { ExceptionList } from './list'
import { Proposals } from './proposals'
import { Tuning } from './tuning'
import { useTexts } from './texts'
import { WindowDraft } from './window'
import { WindowList } from './windows'

const page = getRouteApi('/in/exceptions')
const shows = ['exceptions', 'windows', 'proposals', 'tuning'] as const

/** The part that the address names: exceptions where it names none there is. */
function useShow() {
  const { show } = page.useSearch()
  return shows.find((s) => s === show) ?? 'exceptions'
}

/** What is accepted for a time, what is planned, what is proposed, and what could be better. */
export function Exceptions() {
  const { new: draft, open, scope = '', from = '' } = page.useSearch()
  const show = useShow()
  if (draft === 'window') return <WindowDraft from={from} />
  if (draft) return <ExceptionDraft scope={scope} from={from} />
  if (show === 'windows') return open ? <WindowDraft id={open} from="" /> : <WindowList />
  if (show === 'proposals') return <Proposals />
  if (show === 'tuning') return <Tuning />
  return open ? <ExceptionDraft id={open} scope="" from="" /> : <ExceptionList />
}

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
