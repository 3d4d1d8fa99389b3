import { Button, Select, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { get, send } from '@/api/client'
import { useMay, useSession } from '@/app/session'
import { toast } from '@/app/toast'
import { address, To } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { Page } from '@/parts/page'
import { Asked, Nothing, useProblem } from '@/parts/states'
import { serverNow, When } from '@/parts/when'
import { useTouched } from './keep'
import { Shows } from './shows'
import { useTexts } from './texts'
import type { Proposal } from './types'
import { useCovered } from './windows'
import css from './page.module.css'

const proposals = get('/api/proposals')

/** What Yagura, a team or a person proposes, to accept or to dismiss. */
export function Proposals() {
  const t = useTexts()
  const asked = useQuery(proposals)
  const n = asked.data?.proposals.length ?? 0
  return (
    <Page title={t('title')} answer={asked.data ? (n ? t('proposalsAnswer', { count: n }) : t('proposalsNone')) : t('title')} more={t('proposalsNote')}>
      <Shows />
      <Asked of={asked}>
        {({ proposals }) =>
          proposals.length === 0 ? (
            <Nothing title={t('proposalsNone')}>{t('proposalsNoneMore')}</Nothing>
          ) : (
            <ul className={css.list}>
              {proposals.map((p) => (
                <One key={p.id} of={p} />
              ))}
            </ul>
          )
        }
      </Asked>
    </Page>
  )
}

function One({ of: p }: { of: Proposal }) {
  const t = useTexts()
  const coveredBy = useCovered()
  const problem = useProblem()
  const refresh = useTouched()
  const me = useSession()?.user ?? ''
  const responder = useMay('responder')
  const [owner, setOwner] = useState(p.owner || me)
  const [days, setDays] = useState('90')
  const [busy, setBusy] = useState(false)
  const answer = async (accept: boolean) => {
    setBusy(true)
    try {
      const until = p.kind === 'exception' ? { until: new Date(serverNow().getTime() + Number(days) * 86_400_000).toISOString() } : {}
      await send('post', '/api/proposals/{id}', { path: { id: p.id }, body: accept ? { accept, owner, reason: p.reason || p.text, ...until } : { dismiss: true } })
      toast({ text: t(accept ? 'accepted' : 'dismissed', { title: p.title }) }, 5)
      await refresh()
    } catch (e) {
      toast({ text: problem(e), bad: true })
    }
    setBusy(false)
  }
  const w = p.window
  return (
    <li className={css.item}>
      <div className={css.side}>
        <b>{t(`kind.${p.kind}`)}:</b> <LogText wrap>{p.title}</LogText>
        {p.text && (
          <p>
            <LogText wrap>{p.text}</LogText>
          </p>
        )}
        {p.scope && <p className={css.scope}><LogText wrap>{p.scope}</LogText></p>}
        {w && (
          <p className={css.facts}>
            <span><When at={(w.next ?? w).start} as="exact" /> – <When at={(w.next ?? w).end} as="exact" /> UTC</span>
            {w.repeat && <LogText mono>{w.repeat}</LogText>}
            <span>{w.zone}</span>
            <span>{t('covers')}: {coveredBy(w) ? <LogText wrap>{coveredBy(w)}</LogText> : t('coversAll')}</span>
            {w.ticket && <LogText>{w.ticket}</LogText>}
          </p>
        )}
        <p className={css.facts}>
          <span>{t(`from.${p.from}`)} {p.by && <LogText>{p.by}</LogText>}</span>
          {p.count > 0 && <span>{t('restsOn', { count: p.count })}</span>}
          {p.evidence.slice(0, 3).map((key, i) => (
            <To key={key} href={`/findings/${encodeURIComponent(key)}`}>{t('finding', { n: i + 1 })}</To>
          ))}
          {p.scope && <To href={address('/findings', { q: p.scope, show: 'all' })}>{t('inList')}</To>}
        </p>
      </div>
      {responder && (
        <div className={css.act}>
          <TextInput label={t('fieldOwner')} value={owner} onChange={(e) => setOwner(e.currentTarget.value)} maxLength={128} w={130} />
          {p.kind === 'exception' && (
            <Select label={t('acceptWith')} w={100} value={days} allowDeselect={false} onChange={(d) => d && setDays(d)} data={[30, 90, 180].map((n) => ({ value: String(n), label: t('untilDays', { count: n }) }))} />
          )}
          <Button loading={busy} disabled={!owner.trim()} onClick={() => void answer(true)}>{t('accept')}</Button>
          <Button variant="default" disabled={busy} onClick={() => void answer(false)}>{t('dismiss')}</Button>
        </div>
      )}
    </li>
  )
}
