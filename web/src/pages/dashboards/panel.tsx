import type { Mark, PanelAnswer, PanelShown } from '@/api/contract'
import { moment, number, percent } from '@/app/format'
import { To } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { Nothing } from '@/parts/states'
import { bucketTime, eventsOf, keysOfRow, tone } from './ask'
import { Over } from './over'
import { useTexts } from './texts'
import css from './page.module.css'

/** A panel's answer, or why there is none. */
export function PanelView({ of: p }: { of: PanelAnswer }) {
  const t = useTexts()
  const a = p.answer
  if (!a) return <p role="alert">{p.problem}</p>
  if (a.state === 'no_log') {
    return (
      <div className={`unknown ${css.unknown}`}>
        <Nothing title={t('noLog')}>{t('noLogMore', { log: a.log?.name ?? '' })}</Nothing>
      </div>
    )
  }
  return (
    <>
      <Counted of={a} show={p.show} title={p.title} />
      {(a.state === 'silent' || a.state === 'began') && a.log && (
        <p className={css.note}>
          {t(a.state, { at: moment((a.state === 'silent' ? a.log.last : a.log.first) ?? '', t.language), log: a.log.name })}
        </p>
      )}
      {a.past.state === 'short' && <p className={css.note}>{t('short', { count: a.past.weeks, needs: a.past.needs })}</p>}
      {a.more && <p className={css.note}>{t('cut', { why: a.more })}</p>}
    </>
  )
}

function Counted({ of: a, show, title }: { of: PanelShown; show: PanelAnswer['show']; title: string }) {
  const t = useTexts()
  if (a.series.length === 0 && a.rows.length === 0) return <p className="dim">{t('nothing')}</p>
  if (show === 'timeline') return <><Over of={a} title={title} /><SeriesTable of={a} /></>
  if (show === 'number') {
    const share = a.of > 0 && a.columns.some((c) => c.type === 'share')
    return <p className={css.number}>{share ? percent(a.total / a.of, t.language) : number(a.total, t.language)} <Marks of={a.marks} /></p>
  }
  return <RowsTable of={a} bars={show === 'bars'} />
}

/** A mark in words: what was seen and what is usual. */
function useSaid(): (m: Mark) => string {
  const t = useTexts()
  return (m) => {
    const n = (v: number) => number(v, t.language)
    return m.low === m.high ? t('markOne', { seen: n(m.seen), low: n(m.low) }) : t('mark', { seen: n(m.seen), low: n(m.low), high: n(m.high) })
  }
}

const mostMarks = 4

/** Marks, the least likely first, each with when it was where that is told. */
function Marks({ of, a, values }: { of: readonly Mark[]; a?: PanelShown; values?: readonly unknown[] }) {
  const t = useTexts()
  const said = useSaid()
  if (of.length === 0) return null
  const shown = of.toSorted((x, y) => y.score - x.score).slice(0, mostMarks)
  return (
    <ul className={css.marks}>
      {shown.map((m) => {
        const time = a && bucketTime(a, m.bucket)
        const text = time ? t('markWhen', { when: moment(time.since, t.language), said: said(m) }) : said(m)
        const href = time && eventsOf(a, values, time)
        return <li key={`${m.series} ${m.bucket}`} className={css.mark}>{href ? <To href={href}>{text}</To> : text}</li>
      })}
      {of.length > mostMarks && <li className="dim">{t('unusual', { count: of.length })}</li>}
    </ul>
  )
}

function SeriesTable({ of: a }: { of: PanelShown }) {
  const t = useTexts()
  const marked = a.marks.length > 0
  return (
    <div className={css.scroll}>
      <table className={css.rows}>
        <thead>
          <tr>
            <th>{t('group')}</th>
            <th className={css.num}>{t('total')}</th>
            {marked && <th>{t('usual')}</th>}
          </tr>
        </thead>
        <tbody>
          {a.series.map((s, i) => {
            const values = s.rest ? undefined : s.by
            const href = s.rest ? undefined : eventsOf(a, values, { since: a.since, until: a.until })
            const name = s.rest ? t('other') : s.by.length === 0 ? t('total') : <Group of={s.by} />
            return (
              <tr key={i}>
                <td><i className={css.tone} style={{ background: 'var(--y-ink)', opacity: tone(i, s.rest) }} aria-hidden="true" />{href ? <To href={href}>{name}</To> : name}</td>
                <td className={css.num}>{number(s.total, t.language)}</td>
                {marked && <td><Marks of={a.marks.filter((m) => m.series === i)} a={a} values={values} /></td>}
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}

/** The values that make a group. */
function Group({ of }: { of: readonly string[] }) {
  const t = useTexts()
  return (
    <>
      {of.map((v, i) => (
        <span key={i}>{i > 0 && ' · '}{v === '' ? <span className="faint">{t('none')}</span> : <LogText wrap most={90}>{v}</LogText>}</span>
      ))}
    </>
  )
}

function RowsTable({ of: a, bars }: { of: PanelShown; bars: boolean }) {
  const t = useTexts()
  const marked = a.marks.length > 0
  const counts = a.columns.findIndex((c) => c.name === 'count')
  const most = Math.max(...a.rows.map((r) => Number(r[counts] ?? 0)), 1)
  const link = a.columns.findIndex((c) => a.keys.includes(c.name))
  return (
    <div className={css.scroll}>
      <table className={css.rows}>
        <thead>
          <tr>
            {a.columns.map((c) => <th key={c.name} className={c.type === 'number' || c.type === 'share' ? css.num : undefined}><Head of={c.name} /></th>)}
            {bars && <th aria-hidden="true" />}
            {marked && <th>{t('usual')}</th>}
          </tr>
        </thead>
        <tbody>
          {a.rows.map((r, i) => {
            const href = eventsOf(a, keysOfRow(a, r), { since: a.since, until: a.until })
            return (
              <tr key={i}>
                {a.columns.map((c, j) => (
                  <td key={c.name} className={c.type === 'number' || c.type === 'share' ? css.num : undefined}>
                    {j === link && href ? <To href={href}><Value of={r[j]} type={c.type} /></To> : <Value of={r[j]} type={c.type} first={j === 0} />}
                  </td>
                ))}
                {bars && <td className={css.bar} aria-hidden="true"><i style={{ width: `${(Number(r[counts] ?? 0) / most) * 100}%` }} /></td>}
                {marked && <td><Marks of={a.marks.filter((m) => m.series === i)} /></td>}
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}

const heads = ['count', 'of', 'share', 'first', 'country'] as const

/** A column's name: of our own in the language of who reads, of events as filters write it. */
function Head({ of }: { of: string }) {
  const t = useTexts()
  const own = heads.find((h) => h === of)
  return own ? t(own) : <LogText>{of}</LogText>
}

function Value({ of: v, type, first }: { of: unknown; type: string; first?: boolean }) {
  const t = useTexts()
  if (v === null || v === undefined) return first ? t('other') : null
  if (v === '') return <span className="faint">{t('none')}</span>
  if (type === 'share') return percent(Number(v), t.language)
  if (type === 'number') return number(Number(v), t.language)
  if (type === 'time' && typeof v === 'string') return moment(v, t.language)
  return <LogText wrap most={90}>{typeof v === 'string' ? v : JSON.stringify(v)}</LogText>
}
