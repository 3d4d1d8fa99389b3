import { useId, useRef, useState } from 'react'
import type { Answer } from '@/api/client'
import { clock, day, moment, number, percent } from '@/app/format'
import { useWidth } from '@/parts/table'
import { useTexts } from './texts'
import css from './histogram.module.css'

export type Counts = Answer<'/api/search/histogram', 'get'>

interface Props {
  of: Counts
  height?: number
  /** A time was chosen; without it there is nothing to choose. */
  onChoose?: (since: string, until: string) => void
}

const left = 42

const steps = [60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86_400, 2 * 86_400, 3 * 86_400, 4 * 86_400, 7 * 86_400, 14 * 86_400, 28 * 86_400]

/** Which buckets the axis names, at round times and no closer than a label is wide. Days is true where all of them are midnights. */
export function ticks(of: Pick<Counts, 'buckets' | 'width'>, width: number): { at: number[]; days: boolean } {
  const n = of.buckets.length
  const most = Math.max(Math.floor(width / 90), 1)
  const step = steps.find((s) => s >= of.width && (n * of.width) / s <= most) ?? Math.ceil((n * of.width) / most / 86_400) * 86_400
  // Hours are counted from the epoch, days from the first midnight that is there.
  const seconds = of.buckets.map((b) => Math.floor(new Date(b.time).getTime() / 1000))
  const base = step > 86_400 ? Math.ceil((seconds[0] ?? 0) / 86_400) * 86_400 : 0
  const at = seconds.flatMap((s, i) => (s >= base && (s - base) % step < of.width ? [i] : []))
  // Buckets that begin at no round time are named evenly.
  const even = Math.max(Math.ceil(n / most), 1)
  return at.length > 0 ? { at, days: step >= 86_400 } : { at: of.buckets.flatMap((_, i) => (i % even === 0 ? [i] : [])), days: false }
}

/** Which buckets lie between two places, in order. */
export function between(a: number, b: number, n: number): [number, number] {
  const clip = (i: number) => Math.min(Math.max(i, 0), n - 1)
  return [Math.min(clip(a), clip(b)), Math.max(clip(a), clip(b))]
}

/** Events over time. Dragging over it chooses a time; buckets that nobody looked at are hatched. */
export function Histogram({ of, height = 76, onChoose }: Props) {
  const t = useTexts()
  const id = useId()
  const box = useRef<HTMLDivElement>(null)
  const width = useWidth(box)
  const [at, setAt] = useState<number>()
  const [from, setFrom] = useState<number>()
  const n = of.buckets.length
  const most = Math.max(...of.buckets.map((b) => b.count), 1)
  const plot = Math.max(width - left - 2, 10)
  const step = plot / Math.max(n, 1)
  const bar = Math.max(step - (step > 4 ? 1 : 0), 0.5)
  const y = (v: number) => (v > 0 ? Math.max((v / most) * (height - 10), 1.5) : 0)
  const start = (i: number) => of.buckets[i]?.time ?? of.until
  const end = (i: number) => of.buckets[i + 1]?.time ?? of.until
  const axis = ticks(of, plot)
  const label = (i: number) => {
    const hour = clock(start(i), t.language)
    return axis.days || hour === '00:00' ? day(start(i), t.language) : hour
  }
  const peak = of.buckets.findIndex((b) => b.count === most)
  const says = t('histogramSays', { n: of.total, since: moment(of.since, t.language), until: moment(of.until, t.language), most, when: moment(start(Math.max(peak, 0)), t.language) })

  const place = (e: React.PointerEvent<SVGSVGElement>) => Math.floor((e.clientX - e.currentTarget.getBoundingClientRect().left - left) / step)
  const choose = (a: number, b: number) => {
    const [first, last] = between(a, b, n)
    setFrom(undefined)
    onChoose?.(start(first), end(last))
  }
  const press = (e: React.KeyboardEvent) => {
    if (e.key === 'ArrowLeft' || e.key === 'ArrowRight') {
      e.preventDefault()
      const next = Math.min(Math.max((at ?? (e.key === 'ArrowLeft' ? n : -1)) + (e.key === 'ArrowLeft' ? -1 : 1), 0), n - 1)
      setFrom(e.shiftKey ? (from ?? at ?? next) : undefined)
      setAt(next)
    } else if (e.key === 'Enter' && at !== undefined && onChoose) {
      e.preventDefault()
      choose(from ?? at, at)
    } else if (e.key === 'Escape' && from !== undefined) {
      e.stopPropagation()
      setFrom(undefined)
    }
  }
  const marked = at === undefined ? undefined : between(from ?? at, at, n)

  function said(): string {
    if (!marked) return ''
    const [a, b] = marked
    const place = { from: moment(start(a), t.language), to: moment(end(b), t.language) }
    const some = of.buckets.slice(a, b + 1)
    const count = some.reduce((sum, x) => sum + x.count, 0)
    const part = Math.min(...some.map((x) => x.part))
    if (part === 0) return t('histogramUnknown', place)
    if (part < 1) return t('histogramAbout', { ...place, n: count, part: percent(part, t.language) })
    return t('histogramBucket', { ...place, count })
  }

  return (
    <figure className={css.histogram} ref={box}>
      <svg
        width={width} height={height + 16} role={onChoose ? 'application' : 'img'} aria-label={says} aria-description={onChoose && t('histogramHint')} tabIndex={onChoose ? 0 : undefined}
        className={onChoose ? css.brush : undefined} onKeyDown={press} onBlur={() => { setAt(undefined); setFrom(undefined) }}
        onPointerMove={(e) => setAt(between(place(e), place(e), n)[0])}
        onPointerLeave={() => from === undefined && setAt(undefined)}
        onPointerDown={(e) => {
          if (!onChoose || e.button !== 0) return
          e.currentTarget.setPointerCapture(e.pointerId)
          setFrom(between(place(e), place(e), n)[0])
          setAt(between(place(e), place(e), n)[0])
        }}
        onPointerUp={(e) => from !== undefined && choose(from, place(e))}
        onPointerCancel={() => setFrom(undefined)}
      >
        <defs>
          <pattern id={id} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line x1="0" y1="0" x2="0" y2="6" /></pattern>
        </defs>
        <line className={css.line} x1={left} x2={left + plot} y1={height} y2={height} />
        <line className={css.line} x1={left} x2={left + plot} y1={10} y2={10} />
        <text x={left - 6} y={14} textAnchor="end">{number(most, t.language)}</text>
        <text x={left - 6} y={height} textAnchor="end">0</text>
        {of.buckets.map((b, i) =>
          b.part === 0 ? (
            <rect key={b.time} x={left + i * step} width={step} y={10} height={height - 10} fill={`url(#${id})`} />
          ) : (
            <rect key={b.time} className={css.bar} data-about={b.part < 1 || undefined} x={left + i * step} width={bar} y={height - y(b.count)} height={y(b.count)} />
          ),
        )}
        {marked && <rect className={css.marked} data-drag={from !== undefined || undefined} x={left + marked[0] * step} width={(marked[1] - marked[0] + 1) * step} y={4} height={height - 4} />}
        {width > 0 && axis.at.map((i) => (
          <text key={i} x={left + i * step} y={height + 13} textAnchor={i === 0 ? 'start' : 'middle'}>{label(i)}</text>
        ))}
      </svg>
      <figcaption aria-live="polite">
        {said()}
        {of.buckets.some((b) => b.part === 0) && <span className={css.legend}><i className="unknown" /> {t('notKnown')}</span>}
      </figcaption>
    </figure>
  )
}
