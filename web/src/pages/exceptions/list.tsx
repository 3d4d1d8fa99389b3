import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useMemo } from 'react'
import { get } from '@/api/client'
import { exact, number, valid } from '@/app/format'
import { useMay } from '@/app/session'
import { address, To } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { Page } from '@/parts/page'
import { Asked, Nothing } from '@/parts/states'
import { column, Table } from '@/parts/table'
import { useNow } from '@/parts/when'
import { Shows } from './shows'
import { useTexts } from './texts'
import type { Exception } from './types'
import css from './page.module.css'

const order = ['proposed', 'active', 'expired', 'revoked']

export function ExceptionList() {
  const t = useTexts()
  const navigate = useNavigate()
  const asked = useQuery(get('/api/exceptions'))
  const mayPropose = useMay('analyst')
  const now = useNow()
  const all = useMemo(
    () => asked.data?.exceptions.toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state) || (a.until ?? '').localeCompare(b.until ?? '')) ?? [],
    [asked.data],
  )
  const holding = all.filter((x) => x.state === 'active')
  const explained = holding.reduce((n, x) => n + x.explains, 0)
  const ending = holding.filter((x) => x.until && new Date(x.until).getTime() - now.getTime() < 14 * 86_400_000).length
  const open = (x: Exception) => address('/exceptions', { open: x.id })
  const columns = useMemo(
    () => [
      column<Exception>('title', t('what'), (x) => <To href={open(x)} className={css.name}><LogText>{x.title || x.scope}</LogText></To>, { grow: 3, by: (x) => x.title }),
      column<Exception>('scope', t('scope'), (x) => <LogText mono most={60}>{x.scope}</LogText>, { grow: 3, above: 860 }),
      column<Exception>('state', t('state'), (x) => t.word('state', x.state), { width: 90, by: (x) => order.indexOf(x.state) }),
      column<Exception>('explains', t('explains'), (x) => number(x.explains, t.language), { width: 110, right: true, by: (x) => x.explains }),
      column<Exception>('owner', t('owner'), (x) => <LogText most={24}>{x.owner}</LogText>, { width: 140, above: 560, by: (x) => x.owner }),
      column<Exception>('until', t('until'), (x) => <Until at={x.until} />, { width: 110, right: true, by: (x) => x.until ?? '' }),
    ],
    [t],
  )
  return (
    <Page
      fill title={t('title')}
      answer={asked.data ? (holding.length ? t('answer', { count: holding.length }) : t('answerNone')) : t('title')}
      more={asked.data && holding.length > 0 && [t('answerExplains', { count: explained }), ending > 0 && t('answerEnding', { count: ending })].filter(Boolean).join(' ')}
      actions={mayPropose && <Button onClick={() => void navigate({ to: '/exceptions', search: { new: 'exception' } })}>{t('newException')}</Button>}
    >
      <Shows />
      <Asked of={asked} lines={8}>
        {() => (
          <Table
            label={t('show.exceptions')} rows={all} columns={columns} rowKey={(x) => x.id} href={open} onOpen={(x) => void navigate({ to: '/exceptions', search: { open: x.id } })}
            empty={<Nothing title={t('none')}>{t('noneMore')}</Nothing>} cardHeight={84}
            card={(x) => (
              <>
                <To href={open(x)} className={css.name}>
                  <LogText>{x.title || x.scope}</LogText>
                </To>
                <div className={css.facts}>
                  <span>{t.word('state', x.state)}</span>
                  <LogText most={24}>{x.owner}</LogText>
                  <Until at={x.until} />
                </div>
                <div className={css.facts}>
                  {t('explains')} {number(x.explains, t.language)}
                </div>
              </>
            )}
          />
        )}
      </Asked>
    </Page>
  )
}

/** The day that something ends on. */
function Until({ at }: { at?: string }) {
  const t = useTexts()
  if (!valid(at)) return <span className="faint">–</span>
  return (
    <time dateTime={at} title={`${exact(at, t.language, 'UTC')} UTC · ${exact(at, t.language)}`}>
      {new Intl.DateTimeFormat(t.language, { dateStyle: 'medium' }).format(new Date(at))}
    </time>
  )
}
