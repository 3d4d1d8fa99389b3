import { useQuery } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { useState } from 'react'
import { get } from '@/api/client'
import { number, percent } from '@/app/format'
import { saving } from '@/app/money'
import { useKeys } from '@/app/keys'
import { useMay } from '@/app/session'
import { Command } from '@/parts/copy'
import { Field, Fields } from '@/parts/field'
import { To } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { Section } from '@/parts/page'
import { Nothing } from '@/parts/states'
import { BreakEven } from './break-even'
import { points } from './figures'
import { Pictures } from './pictures'
import { useTexts } from './texts'
import { decisionAddress, newAddress } from '@/pages/decisions/types'
import { costAddress, type Advice, type Advices, type Words } from './types'
import css from './page.module.css'

const verdicts = ['change', 'not_advised', 'keep', 'cannot'] as const

/** Where a decision about an advice begins. */
export function deferAddress(a: Advice): string {
  return newAddress('advice', a.key, a.account)
}

/** There is something to decide about it: it would be cheaper, and nobody has decided. */
function deferrable(a: Advice): boolean {
  return !a.decision && (a.verdict === 'change' || a.verdict === 'not_advised')
}

interface Props {
  of: Advices
  words: Words
  set: (more: Words, replace?: boolean) => void
}

/** What could be cheaper, what would be lost by it, and what speaks against it. */
export function AdvicePart({ of, words, set }: Props) {
  const t = useTexts()
  const may = useMay('analyst')
  const router = useRouter()
  const [chosen, setChosen] = useState<string>()
  const [all, setAll] = useState(false)
  const open = words.open
  const rest = of.advice.filter((a) => a.verdict === 'keep' || a.verdict === 'cannot')
  const restShown = all || rest.some((a) => a.key === open) || rest.length === of.advice.length
  const groups = verdicts.flatMap((v) => {
    const found = of.advice.filter((a) => a.verdict === v)
    return found.length > 0 && (v === 'change' || v === 'not_advised' || restShown) ? [{ verdict: v, found }] : []
  })
  const rows = groups.flatMap((g) => g.found)
  const index = rows.findIndex((a) => a.key === chosen)
  const move = (by: number) => setChosen(rows[Math.min(Math.max(index + by, 0), rows.length - 1)]?.key)
  const toggle = (key: string) => set({ open: open === key ? undefined : key }, true)
  const defer = () => {
    const a = rows[index]
    if (a && deferrable(a)) router.history.push(deferAddress(a))
  }
  useKeys(t('keys'), [
    { keys: 'j', label: t('keyNext'), run: () => move(1) },
    { keys: 'k', label: t('keyBefore'), run: () => move(-1) },
    { keys: 'Enter', label: t('keyOpen'), run: () => chosen !== undefined && toggle(chosen) },
    ...(may ? [{ keys: 'd', label: t('keyDefer'), run: defer }] : []),
  ])
  if (of.advice.length === 0) {
    return (
      <div className={css.none}>
        <Nothing title={t('adviceNone')}>{t('adviceNoneMore')}</Nothing>
        <Command name={t('importCounts')}>yagura cost import counts/</Command>
      </div>
    )
  }
  return (
    <>
      {points(of.advice).length > 0 && (
        <Section title={t('breakEven')} actions={<Pictures of="break-even" query={{ account: words.account }} />}>
          <p className={css.note}>{t('breakEvenNote')}</p>
          <BreakEven of={of.advice} words={words} />
        </Section>
      )}
      {groups.map((g) => (
        <Section key={g.verdict} title={`${t(`verdict.${g.verdict}`)} (${number(g.found.length, t.language)})`} note={t(`verdictNote.${g.verdict}`)}>
          <ul className={css.advice}>
            {g.found.map((a) => (
              <li key={a.key} data-at={a.key === chosen || undefined} data-verdict={a.verdict}>
                <One of={a} open={a.key === open} words={words} may={may} />
              </li>
            ))}
          </ul>
        </Section>
      ))}
      {!restShown && rest.length > 0 && <p className={css.rest}><button type="button" className={css.button} onClick={() => setAll(true)}>{t('showKept', { count: rest.length })}</button></p>}
    </>
  )
}

function One({ of: a, open, words, may }: { of: Advice; open: boolean; words: Words; may: boolean }) {
  const t = useTexts()
  return (
    <>
      <div className={css.adviceHead}>
        <To href={costAddress({ ...words, open: open ? undefined : a.key })} current={open}>
          {a.resource_type ? <LogText most={60}>{a.resource_type}</LogText> : t.word('about', a.kind)}
        </To>
        <span className="dim">{t.word('about', a.kind)}</span>
        <span className="dim"><LogText most={30}>{a.account_name || a.account}</LogText> <LogText most={24}>{a.region}</LogText></span>
        <span className={css.amount} title={String(a.saving_month)}>{saving(a.saving_month, a.currency)}</span>
        <span className={css.deferring}>
          {a.decision ? (
            <Decided id={a.decision} />
          ) : (
            may && deferrable(a) && <To href={deferAddress(a)} className={css.button}>{t(a.verdict === 'change' ? 'decide' : 'defer')}</To>
          )}
        </span>
      </div>
      <p className={css.reason} data-short={!open || undefined}><LogText wrap>{a.reason}</LogText></p>
      {open && <Whole of={a} />}
    </>
  )
}

/** How an advice was decided about, and until when. */
function Decided({ id }: { id: string }) {
  const t = useTexts()
  const all = useQuery({ ...get('/api/decisions'), retry: false })
  const d = all.data?.decisions.find((x) => x.id === id)
  const said = !d ? t('decided') : d.status === 'reopened' ? t('decidedBack') : d.verdict === 'deferred' && d.revisit ? t('decidedUntil', { day: d.revisit }) : t(`decided.${d.verdict}`)
  return <To href={decisionAddress(id)}>{said}</To>
}

function Whole({ of: a }: { of: Advice }) {
  const t = useTexts()
  return (
    <div className={css.whole}>
      <Fields>
        <Field name={t('account')}><LogText copy>{a.account}</LogText> {a.account_name && <LogText>{a.account_name}</LogText>}</Field>
        {a.region && <Field name={t('region')}><LogText>{a.region}</LogText></Field>}
        <Field name={t('saving')}>
          {saving(a.saving_month, a.currency)}
          {a.low !== undefined && a.high !== undefined && <> <span className="dim">{t('savingBetween', { low: saving(a.low, a.currency), high: saving(a.high, a.currency) })}</span></>}
        </Field>
        <Field name={t('items')}>{a.items === null ? t('unknown') : number(a.items, t.language)}</Field>
        <Field name={t('resourceDays')}>{a.resource_days === null ? t('unknown') : number(a.resource_days, t.language)}</Field>
        <Field name={t('basisName')}>{t(`basisName.${a.basis}`)}</Field>
        <Field name={t('confidence')}>{percent(a.confidence, t.language)}</Field>
      </Fields>
      <h3>{t('lost')}</h3>
      <p>{a.lost ? <LogText wrap>{a.lost}</LogText> : t('lostNone')}</p>
      {a.plan.length > 0 ? (
        <>
          <h3>{t('plan')}</h3>
          {a.plan.map((c, i) => <Command key={i} name={t('plan')}>{c}</Command>)}
          {a.undo.length > 0 && <h3>{t('undo')}</h3>}
          {a.undo.map((c, i) => <Command key={i} name={t('undo')}>{c}</Command>)}
        </>
      ) : (
        <p className="dim">{t('planNone', { verdict: t(`verdict.${a.verdict}`) })}</p>
      )}
      {a.sources.length > 0 && (
        <>
          <h3>{t('sources')}</h3>
          <ul className={css.sources}>
            {a.sources.map((s, i) => (
              <li key={i}>
                {s.url.startsWith('https://') ? <a href={s.url} target="_blank" rel="noopener noreferrer"><LogText wrap>{s.title}</LogText></a> : <LogText wrap>{s.title}</LogText>}{' '}
                {s.date && <span className="dim">{t('readOn', { date: s.date })}</span>}
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  )
}
