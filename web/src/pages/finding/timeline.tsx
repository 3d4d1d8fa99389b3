import { Tooltip } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useId, useMemo, useRef, useState } from 'react'
import { get } from '@/api/client'
import type { Event, Finding, Timeline as Answer } from '@/api/contract'
import { clock, moment } from '@/app/format'
import { Record } from '@/parts/event'
import { whoOf } from '@/parts/finding'
import { searchAddress, To } from '@/parts/links'
import { LogText, shortName, shorten } from '@/parts/log-text'
import { Section } from '@/parts/page'
import { Asked } from '@/parts/states'
import { useWidth } from '@/parts/table'
import { useTexts } from './texts'
import css from './timeline.module.css'

const hours = 2
const mostLanes = 9

/** What the principal did around the finding, on one axis; what we do not know is hatched. */
export function Timeline({ of: f }: { of: Finding }) {
  const t = useTexts()
  const timeline = useQuery(get('/api/findings/{key}/timeline', { path: { key: f.key }, query: { hours, raw: false } }))
  return (
    <Section title={t.rich('timeline', { who: <LogText name most={40}>{whoOf(f)}</LogText> })} note={t('timelineSpan', { n: hours })} actions={timeline.data?.whose && <To href={searchAddress(timeline.data.whose, timeline.data.since, timeline.data.until)}>{t('openSearch')}</To>}>
      <Asked of={timeline} lines={4}>
        {(a) => <Lanes of={a} finding={f} />}
      </Asked>
    </Section>
  )
}

interface Lane {
  name: string
  events: Answer['events']
}

/** A lane for each operation: those of the finding first, then the most used. */
export function lanesOf(events: Answer['events'], other: string): Lane[] {
  const by = new Map<string, Answer['events']>()
  for (const e of events) {
    const name = e.api_operation || e.process || e.url || e.format
    by.set(name, [...(by.get(name) ?? []), e])
  }
  const lanes = [...by].map(([name, events]) => ({ name, events }))
  const marked = (l: Lane) => (l.events.some((e) => e.of_finding) ? 1 : 0)
  lanes.sort((a, b) => marked(b) - marked(a) || b.events.length - a.events.length)
  if (lanes.length <= mostLanes) return lanes
  const rest = lanes.slice(mostLanes - 1)
  return [...lanes.slice(0, mostLanes - 1), { name: `${other} (${rest.length})`, events: rest.flatMap((l) => l.events) }]
}

function Lanes({ of, finding }: { of: Answer; finding: Finding }) {
  const t = useTexts()
  const id = useId()
  const box = useRef<HTMLDivElement>(null)
  const width = useWidth(box)
  const [chosen, setChosen] = useState<Event>()
  const lanes = useMemo(() => lanesOf(of.events, t('timelineOther')), [of.events, t])
  const from = new Date(of.since).getTime()
  const to = new Date(of.until).getTime()
  const names = width < 520 ? 110 : 190
  const plot = Math.max(width - names - 8, 50)
  const x = (at: string) => names + ((new Date(at).getTime() - from) / Math.max(to - from, 1)) * plot
  const rowHeight = 22
  const height = lanes.length * rowHeight
  const ticks = Array.from({ length: 5 }, (_, i) => new Date(from + ((to - from) * i) / 4).toISOString())
  return (
    <div ref={box} className={css.box}>
      {width > 0 && (
        <svg width={width} height={height + 24} role="img" aria-label={t('timelineSays', { count: of.events.length, lanes: lanes.length })}>
          <defs>
            <pattern id={id} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
              <line x1="0" y1="0" x2="0" y2="6" className={css.hatch} />
            </pattern>
          </defs>
          <rect className={css.finding} x={x(finding.first_seen) - 3} width={Math.max(x(finding.last_seen) - x(finding.first_seen), 0) + 6} height={height} />
          {ticks.map((at, i) => (
            <g key={at}>
              <line className={css.tick} x1={x(at)} x2={x(at)} y1={0} y2={height} />
              <text className={css.label} x={x(at)} y={height + 15} textAnchor={i === 0 ? 'start' : i === 4 ? 'end' : 'middle'}>
                {i === 0 ? moment(at, t.language) : clock(at, t.language)}
              </text>
            </g>
          ))}
          {of.gaps.map((g, i) => {
            const left = Math.max(x(g.from), names)
            return (
              <rect key={i} x={left} width={Math.max(Math.min(x(g.to), names + plot) - left, 2)} height={Math.max(height, rowHeight)} fill={`url(#${id})`}>
                <title>{t('timelineGap', { reason: g.reason })}</title>
              </rect>
            )
          })}
          {lanes.map((l, i) => (
            <g key={l.name} transform={`translate(0 ${i * rowHeight})`}>
              <line className={css.base} x1={names} x2={names + plot} y1={rowHeight / 2} y2={rowHeight / 2} />
              <Events of={l.events} x={x} y={rowHeight / 2} chosen={chosen} onChoose={(e) => setChosen(chosen?.uid === e.uid ? undefined : e)} />
            </g>
          ))}
        </svg>
      )}
      <div className={css.names} style={{ width: names - 10 }} aria-hidden="true">
        {lanes.map((l) => (
          <div key={l.name} style={{ height: rowHeight }}>
            <LogText>{l.name}</LogText> <span className="faint">{l.events.length}</span>
          </div>
        ))}
      </div>
      {of.events.length === 0 && of.gaps.length === 0 && <p className="dim">{t('timelineNone')}</p>}
      {of.more && <p className="dim">{t('timelineMore')}</p>}
      {of.gaps.length > 0 && (
        <p className={css.gaps}>
          <span className={`unknown ${css.swatch}`} /> {t('timelineGap', { reason: '' })} {of.gaps.slice(0, 3).map((g, i) => <LogText key={i} wrap>{`${i ? '; ' : ''}${g.reason}`}</LogText>)}
        </p>
      )}
      {chosen && <Chosen of={chosen} />}
    </div>
  )
}

/** One event with its record, which the timeline leaves out. */
function Chosen({ of }: { of: Event }) {
  const found = useQuery(get('/api/search', { query: { q: `uid:${of.uid}`, limit: 1 } }))
  return (
    <Asked of={found} lines={8}>
      {(a) => <Record of={a.events[0] ?? { ...of, raw: undefined }} />}
    </Asked>
  )
}

interface EventsProps {
  of: Answer['events']
  x: (at: string) => number
  y: number
  chosen: Event | undefined
  onChoose: (e: Event) => void
}

/** Marks of events; those on one spot share a mark that is as tall as they are many. */
function Events({ of, x, y, chosen, onChoose }: EventsProps) {
  const t = useTexts()
  const spots = new Map<number, Answer['events']>()
  for (const e of of) {
    const at = Math.round(x(e.time) / 3) * 3
    spots.set(at, [...(spots.get(at) ?? []), e])
  }
  return [...spots].map(([at, events]) => {
    const [first] = events
    if (!first) return null
    const mine = events.some((e) => e.of_finding)
    const failed = events.some((e) => e.outcome !== 'success')
    const tall = Math.min(4 + 3 * Math.log2(events.length + 1), 10)
    return (
      <Tooltip
        key={at}
        label={
          <>
            {moment(first.time, t.language)} UTC · {t('times', { count: events.length })}
            <br />
            <bdi>{shorten(first.api_operation ?? '', 60)}</bdi> {first.outcome}
            <br />
            <bdi>{shorten(shortName(first.resource_uid ?? ''), 60)}</bdi>
            {mine && (
              <>
                <br />
                {t('laneMark')}
              </>
            )}
          </>
        }
      >
        <g className={css.event} data-mine={mine || undefined} data-failed={failed || undefined} data-chosen={events.some((e) => e.uid === chosen?.uid) || undefined} onClick={() => onChoose(first)}>
          <rect x={at - 4} y={y - 11} width={8} height={22} className={css.hit} />
          {mine ? <path d={`M${at} ${y - 7}l5 7-5 7-5-7Z`} /> : <rect x={at - 1} y={y - tall} width={2} height={tall * 2} />}
        </g>
      </Tooltip>
    )
  })
}
