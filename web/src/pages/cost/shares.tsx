import { useState } from 'react'
import { month as monthName, share } from '@/app/format'
import { money } from '@/app/money'
import { useKeys } from '@/app/keys'
import { LogText } from '@/parts/log-text'
import { To } from '@/parts/links'
import { Section } from '@/parts/page'
import { Drill } from './drill'
import { monthAfter, ranked, type Ranked } from './figures'
import { Pictures } from './pictures'
import { useTexts } from './texts'
import { TrendPart } from './trend'
import { costAddress, type Advices, type Month, type Shares, type Words } from './types'
import css from './page.module.css'

interface Props {
  of: Shares
  at: Month
  words: Words
  set: (more: Words, replace?: boolean) => void
  advice: Advices | undefined
}

/** Security services by what they cost, and the months of the bill that say so. */
export function SharesPart({ of, at, words, set, advice }: Props) {
  const t = useTexts()
  const months = of.months.filter((m) => m.currency === at.currency)
  const services = ranked(months, at)
  const [chosen, setChosen] = useState<string>()
  const index = services.findIndex((s) => s.service === chosen)
  const move = (by: number) => setChosen(services[Math.min(Math.max(index + by, 0), services.length - 1)]?.service)
  const monthBy = (by: number) => {
    const next = months[months.indexOf(at) + by]
    if (next) set({ month: next.month })
  }
  const openOrClose = () => chosen !== undefined && set({ service: words.service === chosen ? undefined : chosen, by: undefined })
  useKeys(t('keys'), [
    { keys: 'j', label: t('keyNext'), run: () => move(1) },
    { keys: 'k', label: t('keyBefore'), run: () => move(-1) },
    { keys: 'Enter', label: t('keyOpen'), run: openOrClose },
    { keys: ']', label: t('keyMonthNext'), run: () => monthBy(1) },
    { keys: '[', label: t('keyMonthBefore'), run: () => monthBy(-1) },
  ])
  const most = Math.max(...services.map((s) => s.amount), 0)
  return (
    <>
      <Section
        title={t('services', { month: monthName(at.month, t.language) })}
        actions={<Pictures of="shares" query={{ account: words.account, until: monthAfter(at.month) }} />}
      >
        <ol className={css.ranked}>
          {services.map((s) => (
            <li key={s.service} data-at={s.service === chosen || undefined}>
              <Service of={s} at={at} months={months} most={most} words={words} />
              {s.service === words.service && <Drill of={s} at={at} words={words} set={set} advice={advice} />}
            </li>
          ))}
        </ol>
      </Section>
      <Months of={months} limited={of.limited} at={at} words={words} />
      <TrendPart at={at} account={words.account} />
    </>
  )
}

function Service({ of: s, at, months, most, words }: { of: Ranked; at: Month; months: Month[]; most: number; words: Words }) {
  const t = useTexts()
  const open = s.service === words.service
  const href = costAddress({ ...words, service: open ? undefined : s.service, by: undefined })
  return (
    <div className={css.service}>
      <To href={href} current={open}><LogText most={40}>{s.service}</LogText></To>
      <span className={css.bar} aria-hidden="true"><i style={{ width: `${most > 0 ? Math.max((s.amount / most) * 100, 0) : 0}%` }} /></span>
      <span className={css.amount} title={String(s.amount)}>{s.past[months.indexOf(at)] === undefined ? <span className="faint">{t('notBilled')}</span> : money(s.amount, at.currency)}</span>
      <span className={`${css.part} dim`}>{at.total ? share(s.amount / at.total, t.language) : ''}</span>
      <Against of={s} />
      <Past of={s} months={months} at={at} />
    </div>
  )
}

function Against({ of: s }: { of: Ranked }) {
  const t = useTexts()
  const same = 0.0005
  const said = () => {
    if (s.change === undefined) return ''
    if (Math.abs(s.change) < same) return t('same')
    return t(s.change > 0 ? 'rises' : 'falls', { share: share(Math.abs(s.change), t.language) })
  }
  return <span className={css.against} data-rises={(s.change ?? 0) > 0.2 || undefined} title={t('against')}>{said()}</span>
}

const pastHeight = 20
const pastStep = 8

/** A service's months as columns; a month without a row of it is hatched, for the file may be missing. */
function Past({ of: s, months, at }: { of: Ranked; months: Month[]; at: Month }) {
  const t = useTexts()
  const shown = months.slice(-12)
  const past = s.past.slice(-12)
  const most = Math.max(...past.map((p) => p ?? 0), 0)
  const says = shown.map((m, i) => `${monthName(m.month, t.language)} ${past[i] === undefined ? t('notBilled') : money(past[i], m.currency)}`).join(', ')
  return (
    <svg className={css.past} width={shown.length * pastStep} height={pastHeight} role="img" aria-label={t('pastOf', { service: s.service, amounts: says })}>
      <title>{says}</title>
      {past.map((p, i) =>
        p === undefined ? (
          <line key={i} x1={i * pastStep + 1} x2={i * pastStep + 7} y1={pastHeight - 1} y2={pastHeight - 7} className={css.pastNone} />
        ) : (
          <rect key={i} x={i * pastStep} width={6} y={pastHeight - height(p, most)} height={height(p, most)} className={shown[i] === at ? css.pastAt : css.pastBar} />
        ),
      )}
    </svg>
  )
}

function height(amount: number, most: number): number {
  return most > 0 ? Math.max((amount / most) * (pastHeight - 1), 1) : 1
}

/** Every month of the bill, with what stands beside its total and what is missing of it. */
function Months({ of, limited, at, words }: { of: Month[]; limited: boolean; at: Month; words: Words }) {
  const t = useTexts()
  const say = (n: number) => (n === 0 ? <span className="faint">–</span> : money(n, at.currency))
  return (
    <Section title={t('months')} note={t('monthsNote')}>
      <div className={css.scroll} tabIndex={0} role="region" aria-label={t('months')}>
        <table className={css.table}>
          <thead>
            <tr>
              <th>{t('month')}</th>
              <th className="num">{t('total')}</th>
              <th className="num">{t('security')}</th>
              <th className="num">{t('shareOf')}</th>
              <th className="num">{t('tax')}</th>
              <th className="num">{t('credit')}</th>
              <th className="num">{t('refund')}</th>
              <th>{t('missing')}</th>
            </tr>
          </thead>
          <tbody>
            {of.toReversed().map((m) => (
              <tr key={m.month} data-at={m === at || undefined}>
                <td><To href={costAddress({ ...words, month: m.month, currency: m.currency })} current={m === at}>{monthName(m.month, t.language)}</To></td>
                <td className="num">{m.total === undefined ? <span className="faint">{limited ? t('notYours') : t('unknown')}</span> : money(m.total, m.currency)}</td>
                <td className="num">{money(m.security, m.currency)}</td>
                <td className="num">{m.total ? share(m.security / m.total, t.language) : ''}</td>
                <td className="num">{say(m.tax)}</td>
                <td className="num">{say(m.credit)}</td>
                <td className="num">{say(m.refund)}</td>
                <td><Missing of={m} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  )
}

function Missing({ of: m }: { of: Month }) {
  const t = useTexts()
  if (m.missing.rows === 0 && !m.missing.said) return <span className="faint">{t('missingNone')}</span>
  return <span className={`unknown ${css.gap}`}><LogText wrap>{m.missing.said || t('missingRows', { count: m.missing.rows })}</LogText></span>
}
