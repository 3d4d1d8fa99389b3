import { Tooltip } from '@mantine/core'
import type { Today } from '@/api/contract'
import { day, number } from '@/app/format'
import { useTexts } from './texts'
import css from './strip.module.css'

type Day = Today['days'][number]

const rows = [
  { name: 'made', of: (d: Day) => d.made },
  { name: 'decided', of: (d: Day) => d.decided },
  { name: 'open', of: (d: Day) => d.open },
] as const

const tall = 34

/**
 * The last 14 days in three rows: what was made on a day (and how much of that is
 * accounted for), what was decided on it, and what was open at its end. They are
 * different things, so each has its own scale, and its number stands beside it.
 */
export function Strip({ days }: { days: readonly Day[] }) {
  const t = useTexts()
  const sum = (f: (d: Day) => number) => days.reduce((n, d) => n + f(d), 0)
  const now = days.at(-1)?.open ?? 0
  return (
    <figure className={css.strip}>
      <figcaption className="hidden-but-read">
        {t('stripSays', { made: sum((d) => d.made), explained: sum((d) => d.explained), decided: sum((d) => d.decided), open: now })}
      </figcaption>
      <div className={css.grid} aria-hidden="true" style={{ gridTemplateColumns: `max-content repeat(${days.length}, minmax(0, 1fr)) max-content` }}>
        {rows.map((r) => {
          const most = Math.max(...days.map(r.of), 1)
          return [
            <span key={r.name} className={css.name}>
              {t(`strip.${r.name}`)}
            </span>,
            ...days.map((d) => (
              <Tooltip key={r.name + d.day} label={t('stripDay', { day: day(d.day, t.language), made: d.made, explained: d.explained, decided: d.decided, open: d.open })}>
                <span className={css.cell} style={{ height: tall + 4 }}>
                  <i data-row={r.name} style={{ height: `${(r.of(d) / most) * tall}px` }}>
                    {r.name === 'made' && d.explained > 0 && <i data-row="explained" style={{ height: `${(d.explained / most) * tall}px` }} />}
                  </i>
                </span>
              </Tooltip>
            )),
            <span key={`${r.name} n`} className={css.total}>
              {number(r.name === 'open' ? now : sum(r.of), t.language)}
            </span>,
          ]
        })}
        <span />
        {days.map((d, i) => (
          <span key={d.day} className={css.date}>
            {i % 2 === (days.length - 1) % 2 ? day(d.day, t.language) : ''}
          </span>
        ))}
        <span />
      </div>
      <p className={css.legend} aria-hidden="true">
        <i data-row="explained" /> {t('strip.explained')}
      </p>
    </figure>
  )
}
