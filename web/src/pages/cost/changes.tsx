import { useQuery } from '@tanstack/react-query'
import { get } from '@/api/client'
import { term } from '@/app/filter'
import { day, moment, number, percent } from '@/app/format'
import { money } from '@/app/money'
import { searchAddress, To } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { Section } from '@/parts/page'
import { Asked, Nothing } from '@/parts/states'
import { ChangeGraph } from './graph'
import { stacked } from './figures'
import { Pictures } from './pictures'
import { useTexts } from './texts'
import { costAddress, type Changes, type Words } from './types'
import css from './page.module.css'

/** What is changed in an account day by day, by whom, and what runs in circles: that is named first. */
export function ChangesPart({ words }: { words: Words }) {
  const t = useTexts()
  const account = words.account ?? ''
  const changes = useQuery({ ...get('/api/cost/changes', { query: { account, since: words.since, until: words.until } }), enabled: !!account })
  if (!account) return <ChooseAccount />
  return (
    <Asked of={changes} lines={10}>
      {(c) =>
        c.days.length === 0 ? (
          <Nothing title={t('changesNone')} action={<To href="/ledger">{t('toLedger')}</To>}>{t('changesNoneMore')}</Nothing>
        ) : (
          <Known of={c} />
        )
      }
    </Asked>
  )
}

/** Without an account there is nothing to ask: those whose types make most items are offered. */
function ChooseAccount() {
  const t = useTexts()
  const advice = useQuery({ ...get('/api/cost/advice'), retry: false })
  const items = new Map<string, { name: string; items: number }>()
  for (const a of advice.data?.advice ?? []) {
    if (a.kind !== 'recording' || a.items === null) continue
    const one = items.get(a.account) ?? { name: a.account_name, items: 0 }
    items.set(a.account, { ...one, items: one.items + a.items })
  }
  return (
    <>
      <p>{t('chooseAccount')}</p>
      <ul className={css.moves}>
        {[...items].sort((a, b) => b[1].items - a[1].items).map(([account, x]) => (
          <li key={account}>
            <span><To href={costAddress({ show: 'changes', account })}><LogText>{account}</LogText></To> <LogText most={40}>{x.name}</LogText></span>
            <span className={css.amount}>{number(x.items, t.language)} <span className="dim">{t('items')}</span></span>
          </li>
        ))}
      </ul>
    </>
  )
}

function Known({ of: c }: { of: Changes }) {
  const t = useTexts()
  const { days, unknown, operations } = stacked(c)
  return (
    <>
      <Loops of={c} />
      <Section title={t('changesOf')} actions={<Pictures of="changes" query={{ account: c.account, from: c.since, to: c.until }} />}>
        <ChangeGraph of={c} />
        <details className={css.figures}>
          <summary>{t('figures')}</summary>
          <div className={css.scroll} tabIndex={0} role="region" aria-label={t('changesOf')}>
            <table className={css.table}>
              <thead>
                <tr><th>{t('day')}</th>{operations.map((o) => <th key={o.name} className="num">{o.name ? <LogText most={30}>{o.name}</LogText> : t('others')}</th>)}</tr>
              </thead>
              <tbody>
                {days.map((d, i) => (
                  <tr key={d}>
                    <td>{day(d, t.language)}</td>
                    {unknown[i] ? <td colSpan={operations.length}><span className={`unknown ${css.gap}`}>{t('unknown')}</span></td> : operations.map((o) => <td key={o.name} className="num">{number(o.counts[i] ?? 0, t.language)}</td>)}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </details>
      </Section>
      <Makers of={c} />
      <Items of={c.items} />
    </>
  )
}

function Loops({ of: c }: { of: Changes }) {
  const t = useTexts()
  return (
    <Section title={t('loops')}>
      {c.loops.length === 0 && <p className="dim">{t('loopsNone')}</p>}
      {c.loops.map((l, i) => (
        <div key={i} className={css.loop} data-ended={!!l.until || undefined}>
          <p><LogText wrap>{l.text}</LogText></p>
          <p className={css.loopSaves}>
            {l.saving_month === undefined ? null : l.saving_low !== undefined && l.saving_high !== undefined && l.saving_low !== l.saving_high
              ? t('loopSavesBetween', { amount: money(l.saving_month, l.currency), low: money(l.saving_low, l.currency), high: money(l.saving_high, l.currency) })
              : t('loopSaves', { amount: money(l.saving_month, l.currency) })}
          </p>
          <p className="dim"><LogText wrap>{l.saving_note}</LogText></p>
        </div>
      ))}
      {c.schedules.length > 0 && <ul className={css.said}>{c.schedules.map((s, i) => <li key={i}><LogText wrap>{s.text}</LogText></li>)}</ul>}
    </Section>
  )
}

/** Configuration items in words, and by resource type. */
function Items({ of: x }: { of: Changes['items'] }) {
  const t = useTexts()
  return (
    <Section title={t('itemsAre')}>
      {x.days === 0 ? <span className={`unknown ${css.gap}`}>{t('unknown')}</span> : <p><LogText wrap>{x.text}</LogText></p>}
      {x.types.length > 0 && (
        <div className={css.scroll} tabIndex={0} role="region" aria-label={t('itemsAre')}>
          <table className={css.table}>
            <thead>
              <tr><th>{t('type')}</th><th className="num">{t('items')}</th><th className="num">{t('bounds')}</th><th>{t('basisName')}</th></tr>
            </thead>
            <tbody>
              {x.types.map((y) => (
                <tr key={y.resource_type}>
                  <td><LogText most={60}>{y.resource_type}</LogText></td>
                  <td className="num">{number(y.items, t.language)}</td>
                  <td className="num">{y.low === y.high ? '' : `${number(y.low, t.language)} – ${number(y.high, t.language)}`}</td>
                  <td className="dim">{t(`basisName.${y.basis}`)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Section>
  )
}

function Makers({ of: c }: { of: Changes }) {
  const t = useTexts()
  return (
    <Section title={t('makers')} note={c.read.whole ? undefined : t('readPart', { count: c.read.records, since: moment(c.read.since, t.language), until: moment(c.read.until, t.language) })}>
      <div className={css.scroll} tabIndex={0} role="region" aria-label={t('makers')}>
        <table className={css.table}>
          <thead>
            <tr>
              <th>{t('maker')}</th>
              <th>{t('kind')}</th>
              <th aria-hidden="true" />
              <th className="num">{t('count')}</th>
              <th className="num">{t('share')}</th>
              <th>{t('operations')}</th>
            </tr>
          </thead>
          <tbody>
            {c.makers.map((m, i) => (
              <tr key={i} data-at={c.loops.some((l) => l.maker === m.maker) || undefined}>
                <td>{m.maker ? <LogText name most={50} copy>{m.maker}</LogText> : <span className={`unknown ${css.gap}`}>{t('makerUnknown')}</span>}</td>
                <td className="dim">{t.word('maker', m.kind)}</td>
                <td className={css.barCell} aria-hidden="true"><span className={css.bar}><i style={{ width: `${Math.min(m.share, 1) * 100}%` }} /></span></td>
                <td className="num">{m.estimated ? t('about', { n: number(m.count, t.language) }) : number(m.count, t.language)}</td>
                <td className="num">{percent(m.share, t.language)}</td>
                <td>
                  {m.operations.slice(0, 3).map((o) => (
                    <span key={o.operation} className={css.operation}>
                      <To href={searchAddress(`${term('account_uid', c.account)} ${term('api_operation', o.operation)}`, c.since, c.until)}><LogText most={32}>{o.operation}</LogText></To> <span className="dim">{number(o.count, t.language)}</span>
                    </span>
                  ))}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  )
}
