import { useCallback } from 'react'
import type { Anomaly, Point } from '@/api/contract'
import { day, moment, number } from '@/app/format'
import { Chart, type Ink } from '@/parts/chart'
import { LogText } from '@/parts/log-text'
import { Section } from '@/parts/page'
import { useTexts } from './texts'
import css from './page.module.css'

/** What is usual as a band, what was seen as points, and those outside of it marked. */
export function Usual({ of, series }: { of: Anomaly; series: readonly Point[] }) {
  const t = useTexts()
  const outside = series.filter((p) => p.seen > p.high || p.seen < p.low)
  const peak = (outside.length ? outside : series).reduce((a, b) => (distance(b) >= distance(a) ? b : a))
  const most = Math.max(...series.map((p) => Math.max(p.seen, p.high)))
  const band = Math.max(...series.map((p) => p.high), 1)
  const log = most > 25 * band
  const kind = peak.seen < peak.low ? 'chartSaysLess' : round(peak.low) === round(peak.high) ? 'chartSaysOne' : 'chartSays'
  const when = daily(series) ? day : moment // a day's point is of the day, not of its midnight
  const says = t(kind, { seen: peak.seen, when: when(peak.time, t.language), low: round(peak.low), high: round(peak.high) })

  const make = useCallback(
    (ink: Ink) => {
      const y = (v: number) => (log ? Math.log10(1 + Math.max(v, 0)) : v)
      const ticks = log ? [0, 1, 10, 100, 1000, 1e4, 1e5, 1e6].filter((v) => v <= most * 2) : undefined
      const at = (p: { time: string }) => new Date(p.time).getTime()
      const label = { color: ink.dim, fontSize: 11, fontFamily: ink.font }
      return {
        animation: false,
        grid: { left: 44, right: 24, top: 24, bottom: 24 },
        xAxis: {
          type: 'time', axisLine: { lineStyle: { color: ink.line } }, axisTick: { show: false }, splitLine: { show: false },
          axisLabel: { ...label, hideOverlap: true, formatter: (v: number) => when(new Date(v), t.language) },
        },
        yAxis: {
          type: 'value', min: 0, splitLine: { lineStyle: { color: ink.line } }, splitNumber: 3,
          axisLabel: { ...label, customValues: ticks?.map(y), formatter: (v: number) => number(log ? Math.round(10 ** v - 1) : v, t.language) },
          axisTick: { show: false, customValues: ticks?.map(y) },
        },
        tooltip: {
          trigger: 'axis', renderMode: 'richText', backgroundColor: ink.background, borderColor: ink.line, textStyle: { ...label, color: ink.text },
          formatter: (all: { dataIndex: number }[]) => {
            const p = series[all[0]?.dataIndex ?? -1]
            return p ? `${when(p.time, t.language)} UTC\n${t('chartSeen')} ${number(p.seen, t.language)}\n${t('chartUsual')} ${round(p.low)}–${round(p.high)}` : ''
          },
        },
        series: [
          { type: 'line', stack: 'band', step: 'middle', symbol: 'none', lineStyle: { opacity: 0 }, data: series.map((p) => [at(p), y(p.low)]) },
          // At least a line where the usual is one number, so that it can be seen.
          { type: 'line', stack: 'band', step: 'middle', symbol: 'none', lineStyle: { color: ink.band, width: 2 }, areaStyle: { color: ink.band, opacity: 1 }, data: series.map((p) => [at(p), y(p.high) - y(p.low)]) },
          { type: 'line', step: false, symbol: 'circle', symbolSize: 3, lineStyle: { color: ink.dim, width: 1 }, itemStyle: { color: ink.text }, data: series.map((p) => [at(p), y(p.seen)]) },
          {
            type: 'scatter', symbol: 'diamond', symbolSize: 11, itemStyle: { color: ink.high }, z: 5,
            data: outside.map((p) => [at(p), y(p.seen)]),
            label: { show: outside.length <= 6, position: 'top', distance: 4, color: ink.text, fontFamily: ink.font, fontSize: 12, fontWeight: 600, formatter: (x: { dataIndex: number }) => number(outside[x.dataIndex]?.seen ?? 0, t.language) },
          },
        ],
      }
    },
    [series, log, most, t, when], // eslint-disable-line
  )

  return (
    <Section title={t('chart')} note={says}>
      <Chart make={make} height={190} label={says} />
      <p className={css.legend}>
        <span><i className={css.band} /> {t('chartUsual')}</span>
        <span><i className={css.dot} /> {t('chartSeen')}</span>
        {outside.length > 0 && <span><i className={css.diamond} /> {t('chartOutside')}</span>}
        {log && <span>{t('chartLog')}</span>}
        <span>{t('learned', { days: of.days, calls: of.calls })}</span>
      </p>
      {of.unseen && of.unseen.length > 0 && (
        <p className={css.unseen}>
          <span className={`unknown ${css.swatch}`} /> {t('unseen')}{' '}
          {of.unseen.map((u, i) => (
            <span key={i}>
              {i > 0 && '; '}
              <LogText wrap>{u}</LogText>
            </span>
          ))}
        </p>
      )}
    </Section>
  )
}

/** Every point is of a whole day. */
function daily(series: readonly Point[]): boolean {
  return series.every((p) => new Date(p.time).getTime() % 86_400_000 === 0) && series.length > 1
}

function distance(p: { seen: number; low: number; high: number }): number {
  return Math.max(p.seen - p.high, p.low - p.seen)
}

function round(v: number): number {
  return v < 10 ? Math.round(v * 10) / 10 : Math.round(v)
}
