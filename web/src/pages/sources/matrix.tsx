import { useId, useMemo, useRef, useState } from 'react'
import { day as sayDay } from '@/app/format'
import { LogText } from '@/parts/log-text'
import { useWidth } from '@/parts/table'
import { counted, months, states, weight, type Cell, type Matrix } from './days'
import { useTexts } from './texts'
import css from './matrix.module.css'

interface Props {
  of: Matrix
  account: string | undefined
  day: string | undefined
  onChoose: (account: string, day: string) => void
}

const names = 118
const size = 18

/** How whole the log of each account is, a cell a day; what is not known is hatched. */
export function DayMatrix({ of: m, account, day, onChoose }: Props) {
  const t = useTexts()
  const id = useId()
  const box = useRef<HTMLDivElement>(null)
  const width = useWidth(box)
  const [at, setAt] = useState<[number, number]>()
  const n = counted(m)
  // As wide as there is room for; narrower cells than these scroll.
  const step = Math.max(Math.floor((width - names) / Math.max(m.days.length, 1)), 7)
  const cell = Math.max(Math.min(step - 1, 22), 5)
  const most = useMemo(() => m.accounts.map((a) => Math.max(...a.cells.map((c) => c.records), 1)), [m])
  const shown = at && m.accounts[at[0]]?.cells[at[1]]
  const say = (who: string, c: Cell) => t('cell', { account: who, day: sayDay(c.day, t.language), state: t(`day.${c.state}`), count: c.records })
  const press = (e: React.KeyboardEvent) => {
    const by: Record<string, [number, number]> = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }
    const step = by[e.key]
    if (step) {
      e.preventDefault()
      const [r, c] = at ?? [0, m.days.length - 1]
      setAt(at ? [Math.min(Math.max(r + step[0], 0), m.accounts.length - 1), Math.min(Math.max(c + step[1], 0), m.days.length - 1)] : [r, c])
    } else if (e.key === 'Enter' && at) {
      e.preventDefault()
      const a = m.accounts[at[0]]
      const d = m.days[at[1]]
      if (a && d) onChoose(a.account, d)
    }
  }
  return (
    <div ref={box} className={css.box}>
      <div className={css.scroll} data-scrolls={names + step * m.days.length > width + 1 || undefined}>
        <div className={css.names} aria-hidden="true" style={{ width: names }}>
          <div style={{ height: 18 }} />
          {m.accounts.map((a) => <div key={a.account} style={{ height: size }}><LogText most={17}>{a.name || a.account}</LogText></div>)}
        </div>
        <svg
          width={step * m.days.length} height={18 + size * m.accounts.length} role="application" tabIndex={0} className={css.matrix}
          aria-label={t('matrixSays', { accounts: m.accounts.length, days: m.days.length, ...n })} aria-description={t('matrixHint')}
          onKeyDown={press} onPointerLeave={() => setAt(undefined)} onBlur={() => setAt(undefined)}
        >
          <defs>
            <pattern id={id} width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line x1="0" y1="0" x2="0" y2="5" /></pattern>
          </defs>
          {months(m.days).map((x) => <text key={x.day} x={x.at * step} y={12}>{sayDay(x.day, t.language)}</text>)}
          {m.accounts.map((a, r) => (
            <g key={a.account} transform={`translate(0 ${18 + r * size})`}>
              {a.cells.map((c, i) => (
                <g key={c.day} transform={`translate(${i * step} 0)`} onPointerEnter={() => setAt([r, i])} onClick={() => onChoose(a.account, c.day)}>
                  <rect
                    className={css.cell} data-state={c.state} data-weight={weight(c, most[r] ?? 1)} width={cell} height={size - 3} y={1} rx={1.5}
                    fill={c.state === 'unknown' ? `url(#${id})` : undefined} data-chosen={a.account === account && c.day === day || undefined} data-at={at?.[0] === r && at[1] === i || undefined}
                  />
                  {c.state === 'partial' && <path className={css.partial} d={`M1 ${size - 3}L${cell - 1} 2V${size - 3}Z`} />}
                  {c.state === 'missing' && <path className={css.missing} d={`M${cell / 2 - 2.5} ${size / 2 - 3}l5 5m0 -5l-5 5`} />}
                  {c.state === 'late' && <circle className={css.late} cx={cell / 2} cy={size / 2 - 0.5} r={1.8} />}
                </g>
              ))}
            </g>
          ))}
        </svg>
      </div>
      <div className={css.caption}>
        <span aria-live="polite">{shown && at ? say(m.accounts[at[0]]?.name || m.accounts[at[0]]?.account || '', shown) : ''}</span>
        <span className={css.legend}>
          {states.map((s) => (
            <span key={s} title={t(`dayDoes.${s}`)}>
              <svg width={12} height={14} className={css.matrix} aria-hidden="true">
                <rect className={css.cell} data-state={s} data-weight={2} width={11} height={13} y={0.5} x={0.5} rx={1.5} fill={s === 'unknown' ? `url(#${id})` : undefined} />
                {s === 'partial' && <path className={css.partial} d="M1 13L11 2V13Z" />}
                {s === 'missing' && <path className={css.missing} d="M3.5 4.5l5 5m0 -5l-5 5" />}
                {s === 'late' && <circle className={css.late} cx={6} cy={7} r={1.8} />}
              </svg>{' '}
              {t(`day.${s}`)} {n[s]}
            </span>
          ))}
        </span>
      </div>
    </div>
  )
}
