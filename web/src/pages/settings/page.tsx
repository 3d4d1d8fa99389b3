import { getRouteApi } from '@tanstack/react-router'
import { useMay } from '@/app/session'
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
/** What only admins are shown. */
const forAdmins: readonly string[] = ['users', 'server']

export function Settings() {
  const t = useTexts()
  const { show = 'you' } = page.useSearch()
  const admin = useMay('admin')
  if (forAdmins.includes(show) && !admin) {
    return (
      <Page title={t('title')} answer={t('title')}>
        <Shows />
        <Nothing title={t('needsAdmin')} />
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
  const { show = 'you' } = page.useSearch()
  const admin = useMay('admin')
  return (
    <Tabs
      label={t('shows')}
      tabs={shows
        .filter((s) => admin || !forAdmins.includes(s))
        .map((s) => ({ href: address('/settings', { show: s === 'you' ? undefined : s }), text: t(`show.${s}`), current: s === show }))}
    />
  )
}
