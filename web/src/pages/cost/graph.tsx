import { useRouter } from '@tanstack/react-router'
import { useCallback, useRef } from 'react'
import { term } from '@/app/filter'
import { day, number } from '@/app/format'
import { Chart, type Ink } from '@/parts/chart'
import type { ECharts } from '@/parts/echarts'
import { searchAddress } from '@/parts/links'
import { pieces } from '@/parts/log-text'
import { stacked, type Stacked } from './figures'
import { useTexts } from './texts'
import type { Changes } from './types'
import css from './page.module.css'

const dayLong = 86_400_000
const tones = [1, 0.62, 0.42, 0.3, 0.21, 0.14]

/** A name as it can be drawn: what nobody would see is shown as a mark. */
export function drawn(name: string, most = 60): string {
  return pieces(name).map((p) => p.text).join('').slice(0, most)
}

/** Days that the log does not reach. */
function unknownDays(of: Stacked): string[] {
  return of.days.filter((_, i) => of.unknown[i])
}

/** Changes a day, an operation on another. A click leads to the events. */
export function ChangeGraph({ of: c }: { of: Changes }) {
  const t = useTexts()
  const router = useRouter()
  const latest = useRef(c)
  latest.current = c
  const { days, operations } = stacked(c)
  const most = Math.max(...days.map((_, i) => operations.reduce((n, o) => n + (o.counts[i] ?? 0), 0)), 0)
  const first = operations[0]
  const says = t('changesSays', { account: c.account, days: days.length, operation: drawn(first?.name ?? ''), most })

  const make = useCallback(
    (ink: Ink) => {
      const label = { color: ink.dim, fontSize: 11, fontFamily: ink.font }
      const all = stacked(c)
      return {
        animation: false,
        grid: { left: 60, right: 12, top: 14, bottom: 24 },
        xAxis: { type: 'category', data: all.days, axisLine: { lineStyle: { color: ink.line } }, axisTick: { show: false }, axisLabel: { ...label, hideOverlap: true, formatter: (d: string) => day(d, t.language) } },
        yAxis: { type: 'value', min: 0, minInterval: 1, splitNumber: 4, splitLine: { lineStyle: { color: ink.line } }, axisLabel: { ...label, formatter: (v: number) => number(v, t.language) } },
        tooltip: {
          trigger: 'axis', axisPointer: { type: 'shadow' }, renderMode: 'richText', backgroundColor: ink.background, borderColor: ink.line, textStyle: { ...label, color: ink.text },
          formatter: (at: { dataIndex: number }[]) => {
            const i = at[0]?.dataIndex ?? 0
            const lines = all.operations.flatMap((o) => ((o.counts[i] ?? 0) > 0 ? [`${o.name ? drawn(o.name) : t('others')}  ${number(o.counts[i] ?? 0, t.language)}`] : []))
            return [`${day(all.days[i] ?? '', t.language)} UTC`, ...(all.unknown[i] ? [t('unknown')] : lines)].join('\n')
          },
        },
        series: all.operations.map((o, i) => ({
          name: o.name ? drawn(o.name) : t('others'), type: 'bar', stack: 'all', cursor: 'pointer', barCategoryGap: '20%', barMaxWidth: 60,
          itemStyle: { color: ink.ink, opacity: tones[i] ?? 0.1, borderColor: ink.background, borderWidth: 0.5 }, data: o.counts,
          markArea: i === 0 ? { silent: true, itemStyle: { color: ink.hatch, opacity: 0.5 }, label: { ...label, position: 'insideTop' }, data: unknownDays(all).map((d) => [{ xAxis: d, name: t('unknown') }, { xAxis: d }]) } : undefined,
        })),
      }
    },
    [c, t],
  )

  const ready = useCallback(
    (chart: ECharts) => {
      chart.on('click', (e: { seriesIndex?: number; dataIndex?: number }) => {
        const all = stacked(latest.current)
        const at = all.days[e.dataIndex ?? -1]
        const operation = all.operations[e.seriesIndex ?? -1]
        if (!at || !operation) return
        const q = [term('account_uid', latest.current.account), ...(operation.name ? [term('api_operation', operation.name)] : [])].join(' ')
        router.history.push(searchAddress(q, `${at}T00:00:00Z`, new Date(new Date(`${at}T00:00:00Z`).getTime() + dayLong).toISOString()))
      })
    },
    [router],
  )
  return (
    <Chart make={make} height={220} label={says} ready={ready}>
      <figcaption className={css.legend}>
        {operations.map((o, i) => (
          <span key={o.name}><i style={{ background: 'var(--y-ink)', opacity: tones[i] ?? 0.1 }} aria-hidden="true" /> {o.name ? <LogTextOf>{o.name}</LogTextOf> : t('others')} <span className="dim">{number(o.total, t.language)}</span></span>
        ))}
      </figcaption>
    </Chart>
  )
}

function LogTextOf({ children }: { children: string }) {
  return <bdi>{drawn(children, 40)}</bdi>
}
