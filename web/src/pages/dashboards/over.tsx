import { useRouter } from '@tanstack/react-router'
import { useCallback, useRef } from 'react'
import type { PanelShown } from '@/api/contract'
import { day, moment, number } from '@/app/format'
import { Chart, type Ink } from '@/parts/chart'
import type { ECharts } from '@/parts/echarts'
import { pieces } from '@/parts/log-text'
import { bucketTime, eventsOf, tone } from './ask'
import { useTexts } from './texts'

const dayLong = 86_400

/** Counts over time, a series on another; what is unusual has a mark above, what nobody knows is hatched. A click leads to the events. */
export function Over({ of: a, title }: { of: PanelShown; title: string }) {
  const t = useTexts()
  const router = useRouter()
  const latest = useRef(a)
  latest.current = a
  const says = t('says', { title, n: a.total, marks: a.marks.length })
  const when = a.width >= dayLong ? day : moment

  const make = useCallback(
    (ink: Ink) => {
      const label = { color: ink.dim, fontSize: 11, fontFamily: ink.font }
      const at = (bucket: number) => new Date(a.start).getTime() + (bucket + 0.5) * a.width * 1000
      const known = (n: number) => Math.max(n, 0)
      const stack = (bucket: number) => a.series.reduce((n, s) => n + known(s.counts[bucket] ?? 0), 0)
      const unknown = a.series[0]?.counts.findIndex((n) => n >= 0) ?? 0
      const name = (i: number) => {
        const s = a.series[i]
        // Drawn texts have no LogText around them: what nobody would see is shown as a mark.
        return s?.rest ? t('other') : s?.by.length ? pieces(s.by.map((v) => v || t('none')).join(' · ')).map((p) => p.text).join('') : t('total')
      }
      const marked = [...new Set(a.marks.map((m) => m.bucket))]
      return {
        animation: false,
        grid: { left: 52, right: 12, top: 18, bottom: 24 },
        xAxis: {
          type: 'time', min: new Date(a.start).getTime(), max: new Date(a.start).getTime() + (a.series[0]?.counts.length ?? 0) * a.width * 1000,
          axisLine: { lineStyle: { color: ink.line } }, axisTick: { show: false }, axisLabel: { ...label, hideOverlap: true, formatter: (v: number) => (v % (dayLong * 1000) === 0 ? day : moment)(new Date(v), t.language) },
        },
        yAxis: { type: 'value', min: 0, minInterval: 1, splitLine: { lineStyle: { color: ink.line } }, splitNumber: 3, axisLabel: { ...label, formatter: (v: number) => number(v, t.language) } },
        tooltip: {
          trigger: 'axis', axisPointer: { type: 'shadow' }, renderMode: 'richText', backgroundColor: ink.background, borderColor: ink.line, textStyle: { ...label, color: ink.text },
          formatter: (all: { dataIndex: number }[]) => {
            const b = all[0]?.dataIndex ?? -1
            const lines = a.series.flatMap((s, i) => ((s.counts[b] ?? 0) > 0 ? [`${name(i).slice(0, 70)}  ${number(s.counts[b] ?? 0, t.language)}`] : []))
            const head = `${when(bucketTime(a, b).since, t.language)} UTC`
            return a.series.some((s) => s.counts[b] === -1) ? `${head}\n${t('unknown')}` : [head, ...lines].join('\n')
          },
        },
        series: [
          ...a.series.map((s, i) => ({
            name: name(i), type: 'bar', stack: 'all', cursor: 'pointer', barCategoryGap: '12%', itemStyle: { color: ink.ink, opacity: tone(i, s.rest) },
            data: s.counts.map((n, b) => [at(b), known(n)]),
            markArea: i === 0 && unknown > 0 ? { silent: true, itemStyle: { color: ink.hatch, opacity: 0.5 }, data: [[{ xAxis: new Date(a.start).getTime(), name: t('unknown') }, { xAxis: at(unknown) - a.width * 500 }]], label: { ...label, position: 'insideTop' } } : undefined,
          })),
          { type: 'scatter', symbol: 'diamond', symbolSize: 10, z: 5, silent: true, itemStyle: { color: ink.high }, data: marked.map((b) => [at(b), stack(b)]) },
        ],
      }
    },
    [a, t, when], // eslint-disable-line
  )

  const ready = useCallback(
    (chart: ECharts) => {
      chart.on('click', (e: { seriesIndex?: number; dataIndex?: number }) => {
        const now = latest.current
        const s = now.series[e.seriesIndex ?? -1]
        const href = s && eventsOf(now, s.rest ? undefined : s.by, bucketTime(now, e.dataIndex ?? 0))
        if (href) router.history.push(href)
      })
    },
    [router],
  )
  return <Chart make={make} height={180} label={says} ready={ready} />
}
