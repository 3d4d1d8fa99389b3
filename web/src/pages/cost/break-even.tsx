import { useMediaQuery } from '@mantine/hooks'
import { useRouter } from '@tanstack/react-router'
import { useCallback, useRef } from 'react'
import { number } from '@/app/format'
import { saving } from '@/app/money'
import { Chart, type Ink } from '@/parts/chart'
import type { ECharts } from '@/parts/echarts'
import { breakEven, points, shortType, type Point } from './figures'
import { drawn } from './graph'
import { useTexts } from './texts'
import { costAddress, type Advice, type Words } from './types'

const most = 24 // rows; more are in the list below
const rowHeight = 22
const least = 9 // px across

/** Resource types by items for each changed resource-day, against where daily recording breaks even; what saves more is larger. */
export function BreakEven({ of, words }: { of: readonly Advice[]; words: Words }) {
  const t = useTexts()
  const router = useRouter()
  const all = points(of).slice(0, most)
  const latest = useRef({ all, words })
  latest.current = { all, words }
  const narrow = useMediaQuery('(max-width: 640px)') ?? false
  const above = all.filter((p) => p.ratio > breakEven).length

  const make = useCallback(
    (ink: Ink) => {
      const label = { color: ink.dim, fontSize: 11, fontFamily: ink.font }
      const finite = all.map((p) => p.ratio).filter(Number.isFinite)
      const end = 10 ** Math.ceil(Math.log10(Math.max(...finite, 10) * 1.5))
      const at = (p: Point) => (Number.isFinite(p.ratio) ? Math.max(p.ratio, 0.1) : end)
      const biggest = Math.max(...all.map((p) => p.advice.saving_month), 1)
      const place = (p: Point) => drawn(p.advice.account_name || p.advice.account, 14)
      const rows = all.map((p) => (narrow ? drawn(shortType(p.advice.resource_type), 16) : `${drawn(shortType(p.advice.resource_type), 26)} · ${place(p)}`))
      const tone = (p: Point) => (p.advice.verdict === 'change' ? ink.ink : p.advice.verdict === 'not_advised' ? ink.high : ink.hatch)
      return {
        animation: false,
        grid: { left: narrow ? 112 : 250, right: 30, top: 8, bottom: 40 },
        xAxis: {
          type: 'log', min: 0.1, max: end, name: t('ratio'), nameLocation: 'middle', nameGap: 24, nameTextStyle: label,
          axisLine: { lineStyle: { color: ink.line } }, splitLine: { lineStyle: { color: ink.line } }, axisLabel: { ...label, hideOverlap: true, formatter: (v: number) => number(v, t.language) },
        },
        yAxis: { type: 'category', inverse: true, data: rows, axisLine: { show: false }, axisTick: { show: false }, axisLabel: { ...label, width: narrow ? 100 : 236, overflow: 'truncate' } },
        tooltip: {
          trigger: 'item', renderMode: 'richText', backgroundColor: ink.background, borderColor: ink.line, textStyle: { ...label, color: ink.text },
          formatter: (e: { dataIndex: number }) => {
            const p = all[e.dataIndex]
            return p ? t('pointSays', { type: drawn(p.advice.resource_type), account: drawn(p.advice.account), ratio: Number.isFinite(p.ratio) ? p.ratio : t('ratioEndless'), saving: saving(p.advice.saving_month, p.advice.currency) }) : ''
          },
        },
        series: [
          {
            type: 'scatter', cursor: 'pointer',
            data: all.map((p, i) => ({
              value: [at(p), i], symbol: p.advice.verdict === 'not_advised' ? 'diamond' : 'circle',
              symbolSize: least + 17 * Math.sqrt(Math.max(p.advice.saving_month, 0) / biggest), itemStyle: p.advice.verdict === 'keep' ? { color: ink.background, borderColor: ink.dim, borderWidth: 1.5 } : { color: tone(p), opacity: 0.85 },
            })),
            markLine: { silent: true, symbol: 'none', lineStyle: { color: ink.text, type: 'dashed' }, label: { ...label, formatter: String(breakEven), position: 'end' }, data: [{ xAxis: breakEven }] },
          },
        ],
      }
    },
    [of, t, narrow], // eslint-disable-line
  )

  const ready = useCallback(
    (chart: ECharts) => {
      chart.on('click', (e: { dataIndex?: number }) => {
        const p = latest.current.all[e.dataIndex ?? -1]
        if (p) router.history.push(costAddress({ ...latest.current.words, open: p.advice.key }))
      })
    },
    [router],
  )
  if (all.length === 0) return null
  return <Chart make={make} height={60 + all.length * rowHeight} label={t('breakEvenSays', { above, below: all.length - above })} ready={ready} />
}
