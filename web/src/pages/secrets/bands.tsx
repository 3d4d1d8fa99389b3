import { useId, useMemo, useRef, useState } from 'react'
import { day as sayDay, number } from '@/app/format'
import { useEventTexts } from '@/parts/event.texts'
import { Section } from '@/parts/page'
import { useWidth } from '@/parts/table'
import { bandsOf, daysOf, type Band, type Day } from './days'
import { useTexts } from './texts'
import type { SecretDetail } from './types'
import css from './one.module.css'

const height = 132
const foot = 18

/** Uses a day as bands of callers; days of which nothing is known are hatched. */
export function Bands({ of }: { of: SecretDetail }) {
  const t = useTexts()
  const words = useEventTexts()
  const id = useId()
  const box = useRef<HTMLDivElement>(null)
  const width = useWidth(box)
  const [shown, setShown] = useState<number>()
  const days = useMemo(() => daysOf(of), [of])
  const bands = useMemo(() => bandsOf(of.callers), [of.callers])
  const most = Math.max(...days.map((d) => d.total), 1)
  const left = 40
  const plot = Math.max(width - left - 4, 10)
  const step = plot / Math.max(days.length, 1)
  const bar = Math.max(Math.min(step - (step > 5 ? 2 : 0), 28), 0.5)
  const y = (n: number) => (n / most) * (height - 8)
  const named = (b: Band) => (b.of.length === 1 ? words.word('caller', b.caller) : t('other'))
  const at = days[shown ?? -1]
  const first = days[0]
  const last = days.at(-1)
  if (!first || !last) return null
  const labels = days.filter((_, i) => i % Math.max(Math.ceil(days.length / Math.max(Math.floor(plot / 90), 1)), 1) === 0)
  return (
    <Section title={t('bands')} note={t('bandsNote')}>
      <div ref={box}>
        <svg
          width={width} height={height + foot} role="img" className={css.bands} aria-label={t('bandsSays', { since: sayDay(first.day, t.language), until: sayDay(last.day, t.language), most })}
          onPointerLeave={() => setShown(undefined)}
          onPointerMove={(e) => setShown(Math.floor((e.clientX - e.currentTarget.getBoundingClientRect().left - left) / step))}
        >
          <defs>
            <pattern id={id} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line x1="0" y1="0" x2="0" y2="6" /></pattern>
          </defs>
          {[0, 0.5, 1].map((part) => (
            <g key={part}>
              <line className={css.gridline} x1={left} x2={left + plot} y1={height - y(most * part)} y2={height - y(most * part)} />
              {(part === 0 || part === 1 || most > 1) && <text x={left - 6} y={height - y(most * part) + 4} textAnchor="end">{number(Math.round(most * part), t.language)}</text>}
            </g>
          ))}
          {days.map((d, i) => (
            <g key={d.day} transform={`translate(${left + i * step} 0)`}>
              {d.unknown > 0 && <rect x={0} width={step} y={height - (d.unknown / 24) * (height - 8)} height={(d.unknown / 24) * (height - 8)} fill={`url(#${id})`} />}
              <Stack of={d} bands={bands} x={(step - bar) / 2} width={bar} y={y} />
              {shown === i && <rect className={css.pointed} x={0} width={step} y={0} height={height} />}
            </g>
          ))}
          {labels.map((d) => (
            <text key={d.day} x={left + days.indexOf(d) * step + step / 2} y={height + 14} textAnchor={days.indexOf(d) === 0 ? 'start' : 'middle'}>{sayDay(d.day, t.language)}</text>
          ))}
        </svg>
      </div>
      <div className={css.caption}>
        <span>{at ? sayOf(at) : ''}</span>
        <span className={css.legend}>
          {bands.map((b, i) => <span key={i}><i data-rank={i} className={css.swatch} /> {named(b)}{at && ` ${number(callsOf(at, b), t.language)}`}</span>)}
          {days.some((d) => d.unknown > 0) && <span><i className={`unknown ${css.swatch}`} /> {t('notKnown')}</span>}
        </span>
      </div>
    </Section>
  )

  function sayOf(d: Day): string {
    const said = t('bandsDay', { day: sayDay(d.day, t.language), count: d.total })
    return d.unknown > 0 ? `${said}; ${t('bandsUnknown', { day: sayDay(d.day, t.language), hours: Math.round(d.unknown) })}` : said
  }
}

function callsOf(d: Day, b: Band): number {
  return b.of.reduce((n, c) => n + (d.calls[c] ?? 0), 0)
}

function Stack({ of, bands, x, width, y }: { of: Day; bands: Band[]; x: number; width: number; y: (n: number) => number }) {
  let below = 0
  return bands.map((b, i) => {
    const n = callsOf(of, b)
    if (n === 0) return null
    const from = below
    below += n
    return <rect key={i} data-rank={i} className={css.band} x={x} width={width} y={height - y(below)} height={Math.max(y(below) - y(from), 1)} />
  })
}
