import { Tooltip } from '@mantine/core'
import { useId, useRef } from 'react'
import { clock, moment } from '@/app/format'
import { LogText, shorten } from '@/parts/log-text'
import { useWidth } from '@/parts/table'
import { useTexts, type PersonTexts } from './texts'
import type { Lane, Run, Told } from './types'
import css from './lanes.module.css'

const rowHeight = 26

/** What a lane is called: the kind of log, and the project, directory or device. */
export function nameOf(t: PersonTexts, l: Lane): string {
  return [t(`kind.${l.kind}`), l.kind === 'identity' ? l.provider : l.name].filter(Boolean).join(' · ')
}

/** Every log on one axis; what is inferred is hollow, what is not known is hatched. */
export function Lanes({ of, chosen, onChoose }: { of: Told; chosen: Run | undefined; onChoose: (r: Run | undefined) => void }) {
  const t = useTexts()
  const id = useId()
  const box = useRef<HTMLDivElement>(null)
  const width = useWidth(box)
  const names = width < 520 ? 120 : 220
  const plot = Math.max(width - names - 10, 50)
  const from = Date.parse(of.since)
  const to = Date.parse(of.until)
  const x = (at: string) => names + Math.min(Math.max((Date.parse(at) - from) / Math.max(to - from, 1), 0), 1) * plot
  const height = Math.max(of.lanes.length, 1) * rowHeight
  const steps = width < 520 ? 2 : 4
  const ticks = Array.from({ length: steps + 1 }, (_, i) => new Date(from + ((to - from) * i) / steps).toISOString())
  const days = to - from > 36 * 3600_000
  return (
    <div ref={box} className={css.box}>
      {width > 0 && (
        <svg width={width} height={height + 22} role="img" aria-label={t('lanesSay', { count: of.runs.length, lanes: of.lanes.length })}>
          <defs>
            <pattern id={id} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
              <line x1="0" y1="0" x2="0" y2="6" className={css.hatch} />
            </pattern>
          </defs>
          {of.finding && <rect className={css.finding} x={x(of.finding.first) - 3} width={x(of.finding.last) - x(of.finding.first) + 6} height={height} />}
          {ticks.map((at, i) => (
            <g key={at}>
              <line className={css.tick} x1={x(at)} x2={x(at)} y1={0} y2={height} />
              <text className={css.label} x={x(at)} y={height + 15} textAnchor={i === 0 ? 'start' : i === steps ? 'end' : 'middle'}>
                {i === 0 || days ? moment(at, t.language) : clock(at, t.language)}
              </text>
            </g>
          ))}
          {of.lanes.map((l, i) => (
            <g key={l.id} transform={`translate(0 ${i * rowHeight})`}>
              <line className={css.base} x1={names} x2={names + plot} y1={rowHeight / 2} y2={rowHeight / 2} />
              {l.gaps.map((g, k) => (
                <rect key={k} x={x(g.from)} width={Math.max(x(g.to) - x(g.from), 2)} y={3} height={rowHeight - 6} fill={`url(#${id})`}>
                  <title>{t('gap', { reason: g.reason })}</title>
                </rect>
              ))}
              {of.runs.filter((r) => r.lane === l.id).map((r, k) => (
                <Mark key={k} of={r} x={x} chosen={r === chosen} onChoose={() => onChoose(r === chosen ? undefined : r)} />
              ))}
            </g>
          ))}
        </svg>
      )}
      <div className={css.names} style={{ width: names - 10 }} aria-hidden="true">
        {of.lanes.map((l) => (
          <div key={l.id} style={{ height: rowHeight }}>
            <LogText>{nameOf(t, l)}</LogText>
          </div>
        ))}
      </div>
      <p className={css.legend}>
        <span><i className={css.logged} /> {t('legendLogged')}</span>
        {of.runs.some((r) => failed(r)) && <span><i className={css.refused} /> {t('legendRefused')}</span>}
        {of.runs.some((r) => r.inferred) && <span><i className={css.inferred} /> {t('legendInferred')}</span>}
        {of.lanes.some((l) => l.gaps.length > 0) && <span><i className="unknown" /> {t('legendGap')}</span>}
        {of.finding && <span><i className={css.shade} /> {t('legendFinding')}</span>}
      </p>
    </div>
  )
}

export function failed(r: Run): boolean {
  return r.outcome !== 'success' && r.outcome !== ''
}

/** A run: a bar from its first event to its last, taller for more of them. */
function Mark({ of: r, x, chosen, onChoose }: { of: Run; x: (at: string) => number; chosen: boolean; onChoose: () => void }) {
  const t = useTexts()
  const left = x(r.first)
  const wide = Math.max(x(r.last) - left, 4)
  const tall = Math.min(6 + 2.5 * Math.log2(r.count + 1), rowHeight - 6)
  return (
    <Tooltip
      label={
        <>
          {t('lasts', { first: clock(r.first, t.language), last: clock(r.last, t.language) })} UTC · {t('events', { count: r.count })}
          <br />
          <bdi>{shorten(r.text, 110)}</bdi>
          {r.inferred && (
            <>
              <br />
              {t('inferred')}
            </>
          )}
        </>
      }
    >
      <g className={css.run} data-inferred={r.inferred || undefined} data-failed={failed(r) || undefined} data-quiet={!r.notable || undefined} data-chosen={chosen || undefined} onClick={onChoose}>
        <rect className={css.hit} x={left - 3} width={wide + 6} y={0} height={rowHeight} />
        <rect x={left} width={wide} y={(rowHeight - tall) / 2} height={tall} rx={1} />
      </g>
    </Tooltip>
  )
}
