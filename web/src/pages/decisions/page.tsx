import { Button, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { get } from '@/api/client'
import { saving } from '@/app/money'
import { useKeys } from '@/app/keys'
import { useMay } from '@/app/session'
import { address, To } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { Page } from '@/parts/page'
import { Asked, Nothing } from '@/parts/states'
import { column, Table } from '@/parts/table'
import { Tabs } from '@/parts/tabs'
import { When } from '@/parts/when'
import { DecisionForm } from './form'
import { Quarters } from './quarters'
import { useTexts } from './texts'
import { decisionAddress, kinds, statuses, type All, type Decision } from './types'
import css from './page.module.css'

const page = getRouteApi('/in/decisions')

/** What was taken, put off until when, and rejected why; what came back stands first. */
export function Decisions() {
  const t = useTexts()
  const words = page.useSearch()
  const may = useMay('analyst')
  const kind = kinds.find((k) => k === words.new)
  if (kind && may) return <DecisionForm kind={kind} about={words.about ?? ''} account={words.account} />
  return <List note={kind ? t('needsRole') : undefined} />
}

function List({ note }: { note: string | undefined }) {
  const t = useTexts()
  const { status = '', q } = page.useSearch()
  const navigate = useNavigate()
  const may = useMay('analyst')
  const [at, setAt] = useState<string>()
  const all = useQuery(get('/api/decisions'))
  const summary = useQuery({ ...get('/api/decisions/summary'), retry: false })
  const rows = (all.data?.decisions ?? []).filter((d) => (!status || d.status === status) && matches(d, q))
  const index = rows.findIndex((d) => d.id === at)
  const move = (by: number) => setAt(rows[Math.min(Math.max(index + by, 0), rows.length - 1)]?.id)
  const open = (id: string) => void navigate({ to: '/decisions/$id', params: { id } })
  useKeys(t('keys'), [
    { keys: 'j', label: t('keyNext'), run: () => move(1) },
    { keys: 'k', label: t('keyBefore'), run: () => move(-1) },
    { keys: 'Enter', label: t('keyOpen'), run: () => at && open(at) },
    ...(may ? [{ keys: 'n', label: t('keyNew'), run: () => void navigate({ to: '/decisions', search: { new: 'other' } }) }] : []),
  ])
  const undecided = summary.data?.undecided[0]
  return (
    <Page
      title={t('title')}
      answer={all.data ? <Answer of={all.data} /> : t('title')}
      more={
        <>
          {note && <span role="status">{note} </span>}
          {undecided && undecided.month > 0 && t.rich('undecided', { amount: saving(undecided.month, undecided.currency), link: <To href="/cost?show=advice" className={css.inline}>{t('undecidedLink')}</To> })}
        </>
      }
      actions={may && <To href="/decisions?new=other" className={css.button}>{t('add')}</To>}
    >
      <Tabs label={t('status')} tabs={statuses.map((s) => ({ text: t(`status.${s}`), current: status === s, href: address('/decisions', { status: s, q }) }))} />
      <TextInput
        className={css.filter} data-search aria-label={t('filter')} placeholder={t('filterHint')} value={q ?? ''}
        onChange={(e) => void navigate({ to: '/decisions', search: { status: status || undefined, q: e.currentTarget.value || undefined }, replace: true })}
      />
      <Asked of={all} lines={8}>
        {(a) =>
          a.decisions.length === 0 ? (
            <Nothing title={t('none')} action={<To href="/cost?show=advice">{t('toAdvice')}</To>}>{t('noneMore')}</Nothing>
          ) : (
            <Rows of={rows} at={at} onAt={setAt} onOpen={open} onAll={() => void navigate({ to: '/decisions' })} />
          )
        }
      </Asked>
      {summary.data && <Quarters of={summary.data.quarters} />}
    </Page>
  )
}

function matches(d: Decision, q: string | undefined): boolean {
  if (!q) return true
  const text = [d.title, d.reason, d.owner, ...d.accounts, ...d.about.flatMap((s) => [s.id, s.title, s.account])].join('\n').toLowerCase()
  return q.toLowerCase().split(/\s+/).every((w) => text.includes(w))
}

function Answer({ of }: { of: All }) {
  const t = useTexts()
  const count = (status: Decision['status']) => of.decisions.filter((d) => d.status === status).length
  if (count('reopened') > 0) return t('answerReopened', { count: count('reopened') })
  if (count('waiting') > 0) return t('answerWaiting', { count: count('waiting') })
  if (count('settled') > 0) return t('answerSettled', { count: count('settled') })
  return t('answerNone')
}

interface RowsProps {
  of: Decision[]
  at: string | undefined
  onAt: (id: string) => void
  onOpen: (id: string) => void
  onAll: () => void
}

function Rows({ of, at, onAt, onOpen, onAll }: RowsProps) {
  const t = useTexts()
  const saves = (d: Decision) => (d.saving ? saving(d.saving.month, d.saving.currency) : '')
  return (
    <Table
      label={t('title')} rows={of} rowKey={(d) => d.id} at={at} onAt={onAt} href={(d) => decisionAddress(d.id)} onOpen={(d) => onOpen(d.id)} height={520} cardHeight={84}
      columns={[
        column<Decision>('status', t('status'), (d) => <Status of={d} />, { width: 110, by: (d) => statuses.indexOf(d.status) }),
        column<Decision>('title', t('decision'), (d) => <To href={decisionAddress(d.id)}><LogText most={90}>{d.title}</LogText></To>, { grow: 5, by: (d) => d.title }),
        column<Decision>('verdict', t('verdict'), (d) => t(`verdict.${d.verdict}`), { width: 84, above: 640, by: (d) => d.verdict }),
        column<Decision>('owner', t('owner'), (d) => <LogText most={26}>{d.owner}</LogText>, { width: 150, above: 900, by: (d) => d.owner }),
        column<Decision>('revisit', t('revisit'), (d) => d.revisit || <span className="faint">–</span>, { width: 104, right: true, above: 760, by: (d) => d.revisit }),
        column<Decision>('saving', t('saving'), saves, { width: 130, right: true, by: (d) => d.saving?.month ?? 0 }),
        column<Decision>('changed', t('changed'), (d) => <When at={d.changed} />, { width: 100, right: true, above: 1040, by: (d) => d.changed }),
      ]}
      card={(d) => (
        <div className={css.card}>
          <span><Status of={d} /> {t(`verdict.${d.verdict}`)} {d.revisit && <span className="dim">{d.revisit}</span>}</span>
          <To href={decisionAddress(d.id)}><LogText>{d.title}</LogText></To>
          <span className="dim"><LogText most={26}>{d.owner}</LogText> {saves(d)}</span>
        </div>
      )}
      empty={<Nothing title={t('noneFound')} action={<Button variant="default" onClick={onAll}>{t('showAll')}</Button>} />}
    />
  )
}

/** How a decision stands, by words and by shape. What cannot be watched is hatched. */
export function Status({ of: d }: { of: Pick<Decision, 'status'> & { triggers?: Decision['triggers'] } }) {
  const t = useTexts()
  const blind = d.triggers?.filter((x) => x.unread).length ?? 0
  return (
    <span className={css.status} data-status={d.status} title={blind > 0 ? t('unread', { count: blind }) : undefined}>
      <i className={blind > 0 && d.status === 'waiting' ? 'unknown' : undefined} aria-hidden="true" />
      {t(`status.${d.status}`)}
    </span>
  )
}
