import { may, useSession } from '@/app/session'
import { Page } from '@/parts/page'
import { Nothing } from '@/parts/states'
import { Audit } from './audit'
import { Server } from './server'
import { needs, Shows, useShow } from './shows'
import { useTexts } from './texts'
import { Tokens } from './tokens'
import { Users } from './users'
import { You } from './you'

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
