import { getRouteApi } from '@tanstack/react-router'
import { may, useSession } from '@/app/session'
import { address } from '@/parts/links'
import { Tabs } from '@/parts/tabs'
import { useTexts } from './texts'

const page = getRouteApi('/in/settings')
const shows = ['you', 'users', 'tokens', 'server', 'audit'] as const
/** What only people of a role and above are shown. */
export const needs: Partial<Record<(typeof shows)[number], 'responder' | 'admin'>> = { users: 'admin', server: 'admin', audit: 'responder' }

/** The part that the address names: the person's own where it names none there is. */
export function useShow() {
  const { show } = page.useSearch()
  return shows.find((s) => s === show) ?? 'you'
}

/** The parts of the page that the person may see. */
export function Shows() {
  const t = useTexts()
  const session = useSession()
  const show = useShow()
  return (
    <Tabs
      label={t('shows')}
      tabs={shows
        .filter((s) => may(session, needs[s] ?? 'viewer') && (s !== 'audit' || session?.accounts.length === 0))
        .map((s) => ({ href: address('/settings', { show: s === 'you' ? undefined : s }), text: t(`show.${s}`), current: s === show }))}
    />
  )
}
