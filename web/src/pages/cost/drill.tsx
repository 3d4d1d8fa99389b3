import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { get } from '@/api/client'
import { number } from '@/app/format'
import { money } from '@/app/money'
import { Command } from '@/parts/copy'
import { To } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { Asked } from '@/parts/states'
import { Tabs } from '@/parts/tabs'
import { monthAfter, type Ranked } from './figures'
import { useTexts } from './texts'
import { costAddress, type Advice, type Advices, type Line, type Month, type Words } from './types'
import css from './page.module.css'

const splits = ['usage_type', 'account', 'region', 'resource', 'resource_type'] as const
type Split = (typeof splits)[number]

/** The service whose configuration items are counted by resource type. */
const recorder = 'AWS Config'

interface Props {
  of: Ranked
  at: Month
  words: Words
  set: (more: Words) => void
  advice: Advices | undefined
}

/** What one service's amount of a month is made of. */
export function Drill({ of: s, at, words, set, advice }: Props) {
  const t = useTexts()
  const by = splits.find((x) => x === words.by) ?? 'usage_type'
  const offered = splits.filter((x) => x !== 'resource_type' || s.service === recorder)
  return (
    <div className={css.drill} role="region" aria-label={t('drillTo', { service: s.service })}>
      <Tabs label={t('by')} tabs={offered.map((x) => ({ text: t(`by.${x}`), current: x === by, href: costAddress({ ...words, by: x }) }))}>
        <button type="button" className={css.close} onClick={() => set({ service: undefined, by: undefined })}>{t('close')}</button>
      </Tabs>
      {by === 'resource_type' ? <Types of={advice} /> : <Lines service={s.service} by={by} at={at} account={words.account} />}
    </div>
  )
}

function Lines({ service, by, at, account }: { service: string; by: Exclude<Split, 'resource_type'>; at: Month; account: string | undefined }) {
  const t = useTexts()
  const lines = useQuery({
    ...get('/api/cost/lines', {
      query: { service: [service], since: at.month, until: monthAfter(at.month), account: account ? [account] : undefined, by: by === 'usage_type' ? [by, 'unit'] : [by], limit: 100 },
    }),
    placeholderData: keepPreviousData,
  })
  const names = new Map(at.services.map((s) => [s.account, s.account_name]))
  const value = (l: Line) => ({ usage_type: l.usage_type, account: l.account, region: l.region, resource: l.resource })[by]
  return (
    <Asked of={lines} lines={4}>
      {(found) => {
        const mine = found.lines.filter((l) => l.currency === at.currency)
        const most = Math.max(...mine.map((l) => l.amount), 0)
        if (mine.length === 0) return <p className="dim">{t('drillNone')}</p>
        return (
          <>
            <table className={css.table}>
              <thead>
                <tr>
                  <th>{t(`by.${by}`)}</th>
                  <th aria-hidden="true" />
                  <th className="num">{t('cost')}</th>
                  {by === 'usage_type' && <th className="num">{t('quantity')}</th>}
                </tr>
              </thead>
              <tbody>
                {mine.map((l, i) => (
                  <tr key={i}>
                    <td>
                      {value(l) ? <LogText most={60} copy={by === 'resource'}>{value(l)}</LogText> : <span className="faint">{t(by === 'resource' ? 'noResource' : 'noName')}</span>}
                      {by === 'account' && names.get(l.account) && <> <span className="dim"><LogText most={30}>{names.get(l.account)}</LogText></span></>}
                    </td>
                    <td className={css.barCell} aria-hidden="true"><span className={css.bar}><i style={{ width: `${most > 0 ? Math.max((l.amount / most) * 100, 0) : 0}%` }} /></span></td>
                    <td className="num" title={String(l.amount)}>{money(l.amount, l.currency)}</td>
                    {by === 'usage_type' && <td className="num">{l.quantity === undefined ? '' : number(l.quantity, t.language)} <span className="dim"><LogText most={16}>{l.unit}</LogText></span></td>}
                  </tr>
                ))}
              </tbody>
            </table>
            {found.total > found.lines.length && <p className="dim">{t('drillMore', { count: found.total - found.lines.length })}</p>}
          </>
        )
      }}
    </Asked>
  )
}

/** Configuration items by resource type, which no bill tells: they are of the counts. */
function Types({ of }: { of: Advices | undefined }) {
  const t = useTexts()
  const types = byType(of?.advice ?? [])
  if (types.length === 0) {
    return (
      <>
        <p className="dim">{t('typesNone')}</p>
        <Command name={t('importCounts')}>yagura cost import counts/</Command>
      </>
    )
  }
  const most = Math.max(...types.map((x) => x.items))
  return (
    <table className={css.table}>
      <thead>
        <tr>
          <th>{t('type')}</th>
          <th aria-hidden="true" />
          <th className="num">{t('items')}</th>
          <th className="num">{t('resourceDays')}</th>
        </tr>
      </thead>
      <tbody>
        {types.map((x) => (
          <tr key={x.type}>
            <td><To href={costAddress({ show: 'advice' })}><LogText most={60}>{x.type}</LogText></To></td>
            <td className={css.barCell} aria-hidden="true"><span className={css.bar}><i style={{ width: `${(x.items / most) * 100}%` }} /></span></td>
            <td className="num">{number(x.items, t.language)}</td>
            <td className="num">{x.days === null ? <span className="faint">{t('unknown')}</span> : number(x.days, t.language)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** Items of each type over its accounts; days are null where they are not known of one of them. */
export function byType(advice: readonly Advice[]): { type: string; items: number; days: number | null }[] {
  const found = new Map<string, { type: string; items: number; days: number | null }>()
  for (const a of advice) {
    if (a.kind !== 'recording' || a.items === null) continue
    const one = found.get(a.resource_type) ?? { type: a.resource_type, items: 0, days: 0 }
    one.items += a.items
    one.days = one.days === null || a.resource_days === null ? null : one.days + a.resource_days
    found.set(a.resource_type, one)
  }
  return [...found.values()].sort((a, b) => b.items - a.items)
}
