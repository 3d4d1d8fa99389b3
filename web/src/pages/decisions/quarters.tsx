import { useCallback } from 'react'
import { compact } from '@/app/format'
import { money } from '@/app/money'
import { Chart, type Ink } from '@/parts/chart'
import { Section } from '@/parts/page'
import { useTexts } from './texts'
import type { Quarter } from './types'
import css from './page.module.css'

type Figure = 'found' | 'done' | 'saved' | 'lost'

/** Savings that were found, done, made and lost, quarter by quarter; a currency at a time. */
export function Quarters({ of }: { of: readonly Quarter[] }) {
  const t = useTexts()
  const currencies = [...new Set(of.map((q) => q.currency))]
  return (
    <Section title={t('quarters')}>
      {of.length === 0 && <p className="dim">{t('quartersNone')}</p>}
      {currencies.map((currency) => {
        const mine = of.filter((q) => q.currency === currency)
        return (
          <div key={currency}>
            <div className={css.charts}>
              <Pair of={mine} a="found" b="done" title={t('rates')} />
              <Pair of={mine} a="saved" b="lost" title={t('amounts')} />
            </div>
            <Figures of={mine} />
          </div>
        )
      })}
    </Section>
  )
}

function Pair({ of, a, b, title }: { of: readonly Quarter[]; a: Figure; b: Figure; title: string }) {
  const t = useTexts()
  const amount = (q: Quarter, f: Figure) => money(q[f], q.currency)
  const says = t('chartSays', { title, all: of.map((q) => t('chartOne', { quarter: q.quarter, a: t(a), x: amount(q, a), b: t(b), y: amount(q, b) })).join('; ') })
  const make = useCallback(
    (ink: Ink) => {
      const label = { color: ink.dim, fontSize: 11, fontFamily: ink.font }
      const series = (f: Figure, fill: object) => ({ name: t(f), type: 'bar', barMaxWidth: 34, data: of.map((q) => q[f]), itemStyle: fill })
      return {
        animation: false,
        grid: { left: 60, right: 8, top: 10, bottom: 22 },
        xAxis: { type: 'category', data: of.map((q) => q.quarter), axisLine: { lineStyle: { color: ink.line } }, axisTick: { show: false }, axisLabel: label },
        yAxis: { type: 'value', splitNumber: 3, splitLine: { lineStyle: { color: ink.line } }, axisLabel: { ...label, formatter: (v: number) => compact(v, t.language) } },
        tooltip: {
          trigger: 'axis', axisPointer: { type: 'shadow' }, renderMode: 'richText', backgroundColor: ink.background, borderColor: ink.line, textStyle: { ...label, color: ink.text },
          formatter: (all: { dataIndex: number }[]) => {
            const q = of[all[0]?.dataIndex ?? 0]
            return q ? [q.quarter, `${t(a)}  ${amount(q, a)}`, `${t(b)}  ${amount(q, b)}`].join('\n') : ''
          },
        },
        series: [series(a, { color: a === 'found' ? ink.band : ink.ink, borderColor: ink.ink, borderWidth: 1 }), series(b, b === 'lost' ? { color: ink.background, borderColor: ink.high, borderWidth: 1.5 } : { color: ink.ink })],
      }
    },
    [of, t], // eslint-disable-line
  )
  return (
    <div>
      <h3>{title}</h3>
      <Chart make={make} height={150} label={says} />
      <p className={css.legend}>{[a, b].map((f) => <span key={f}><i data-figure={f} aria-hidden="true" /> {t(f)}</span>)}</p>
    </div>
  )
}

function Figures({ of }: { of: readonly Quarter[] }) {
  const t = useTexts()
  const figures = ['found', 'done', 'saved', 'lost'] as const
  const does = { found: t('foundDoes'), done: t('doneDoes'), saved: t('savedDoes'), lost: t('lostDoes') }
  return (
    <div className={css.scroll} tabIndex={0} role="region" aria-label={t('quarters')}>
      <table className={css.table}>
        <thead>
          <tr><th>{t('quarter')}</th>{figures.map((f) => <th key={f} className="num" title={does[f]}>{t(f)}</th>)}</tr>
        </thead>
        <tbody>
          {of.toReversed().map((q) => <tr key={q.quarter}><td>{q.quarter}</td>{figures.map((f) => <td key={f} className="num" title={String(q[f])}>{money(q[f], q.currency)}</td>)}</tr>)}
        </tbody>
      </table>
    </div>
  )
}
