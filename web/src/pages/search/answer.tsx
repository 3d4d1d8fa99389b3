import { useCallback, useMemo } from 'react'
import { moment, number } from '@/app/format'
import { Chart, type Ink } from '@/parts/chart'
import { LogText, pieces } from '@/parts/log-text'
import { column, Table } from '@/parts/table'
import { isNumber, isTime, plotOf, textOf, type Answer } from './sql'
import { useTexts } from './texts'

type Row = { key: string; values: unknown[] }

/** The rows that a statement selected. */
export function SQLTable({ of, height }: { of: Answer; height?: number }) {
  const t = useTexts()
  const rows = useMemo(() => of.rows.map((values, i): Row => ({ key: String(i), values })), [of.rows])
  const columns = useMemo(
    () =>
      of.columns.map((c, i) => {
        const value = (r: Row) => r.values[i]
        const show = (r: Row) => {
          const v = value(r)
          if (v === null || v === undefined) return <span className="faint">{t('sqlNull')}</span>
          if (typeof v === 'number') return number(v, t.language)
          return <LogText mono={isTime(c.type)} most={120}>{textOf(v)}</LogText>
        }
        const by = (r: Row) => {
          const v = value(r)
          return typeof v === 'number' ? v : isNumber(c.type) ? Number.NEGATIVE_INFINITY : textOf(v)
        }
        return column<Row>(`${i}`, <LogText most={40}>{c.name}</LogText>, show, { grow: isNumber(c.type) ? 1 : isTime(c.type) ? 2 : 3, right: isNumber(c.type), by })
      }),
    [of.columns, t],
  )
  return <Table label={t('sqlTable')} rows={rows} columns={columns} rowKey={(r) => r.key} height={height} empty={<p className="dim">{t('sqlNoRows')}</p>} />
}

/** The numbers of an answer along its time or its first words. */
export function SQLChart({ of, height }: { of: Answer; height: number }) {
  const t = useTexts()
  const plot = useMemo(() => plotOf(of), [of])
  const make = useCallback(
    (ink: Ink) => {
      if (!plot) return {}
      const label = { color: ink.dim, fontSize: 11, fontFamily: ink.font }
      const rows = plot.time ? of.rows.toSorted((a, b) => textOf(a[plot.x]).localeCompare(textOf(b[plot.x]))) : of.rows.slice(0, 60)
      // Drawn texts have no LogText around them: what nobody would see is shown as a mark.
      const names = rows.map((r) => pieces(textOf(r[plot.x])).map((p) => p.text).join(''))
      const colors = [ink.ink, ink.dim, ink.band, ink.hatch]
      const value = { type: 'value', splitLine: { lineStyle: { color: ink.line } }, splitNumber: 3, axisLabel: { ...label, formatter: (v: number) => number(v, t.language) } }
      const words = { type: 'category', data: names, axisLine: { lineStyle: { color: ink.line } }, axisTick: { show: false } }
      // Words are read along their bars, times from left to right.
      const axes = plot.time
        ? { xAxis: { type: 'time', axisLine: { lineStyle: { color: ink.line } }, axisTick: { show: false }, axisLabel: { ...label, hideOverlap: true, formatter: (v: number) => moment(new Date(v), t.language) } }, yAxis: value }
        : { yAxis: { ...words, inverse: true, axisLabel: { ...label, formatter: (v: string) => (v.length > 26 ? `${v.slice(0, 10)}…${v.slice(-14)}` : v) } }, xAxis: value }
      return {
        animation: false,
        grid: { left: plot.time ? 60 : 190, right: 16, top: 14, bottom: 26 },
        ...axes,
        tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' }, renderMode: 'richText', backgroundColor: ink.background, borderColor: ink.line, textStyle: { ...label, color: ink.text } },
        series: plot.ys.map((y, i) => ({
          name: of.columns[y]?.name, type: plot.time ? 'line' : 'bar', symbol: 'circle', symbolSize: 4, barMaxWidth: 16, itemStyle: { color: colors[i] }, lineStyle: { color: colors[i], width: 1.5 },
          data: rows.map((r) => (plot.time ? [new Date(`${textOf(r[plot.x])}`).getTime(), r[y]] : r[y])),
        })),
      }
    },
    [of, plot, t],
  )
  if (!plot) return <p className="dim">{t('sqlNoChart')}</p>
  const says = t('sqlChartOf', { x: of.columns[plot.x]?.name ?? '', y: plot.ys.map((y) => of.columns[y]?.name).join(', ') })
  const tall = plot.time ? height : Math.max(height, Math.min(of.rows.length, 60) * 18 + 44)
  return (
    <div style={{ maxHeight: height, overflowY: 'auto' }}>
      <p className="dim"><LogText>{says}</LogText></p>
      <Chart make={make} height={tall} label={says} />
    </div>
  )
}
