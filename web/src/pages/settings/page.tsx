import { getRouteApi } from '@tanstack/react-router'
import { may, useSession } from '@/app/session'
import { address } from '@/parts/links'
import { Page } from '@/parts/page'
import { Nothing } from '@/parts/states'
import { Tabs } from '@/parts/tabs'
import { Audit } from './audit'
import { Server } from './server'
import { useTexts } from './texts'
import { Tokens } from './tokens'
import { Users } from './users'
import { You } from './you'

const page = getRouteApi('/in/settings')
const shows = ['you', 'users', 'tokens', 'server', 'audit'] as const
/** What only people of a role and above are shown. */
const needs: Partial<Record<(typeof shows)[number], 'responder' | 'admin'>> = { users: 'admin', server: 'admin', audit: 'responder' }

/** The part that the address names: the person's own where it names none there is. */
function useShow() {
  const { show } = page.useSearch()
  return shows.find((s) => s === show) ?? 'you'
}

export function Settings() {
  const t = useTexts()
  const session = useSession()
  const show = useShow()
  const role = needs[show]
  if (show === 'audit' && session && session.accounts.length > 0) {
    return (
      <Page title={t('title')} answer={t('title')}>
        <Shows />
        <Nothing title={t('needs.all')} />
      </Page>
    )
  }
  if (role && !may(session, role)) {
    return (
      <Page title={t('title')} answer={t('title')}>
        <Shows />
        <Nothing title={t(`needs.${role}`)} />
      </Page>
    )
  }
  if (show === 'users') return <Users />
  if (show === 'tokens') return <Tokens />
  if (show === 'server') return <Server />
  if (show === 'audit') return <Audit />
  return <You />
}

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
