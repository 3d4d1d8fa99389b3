import { Tooltip } from '@mantine/core'
import type { Today } from '@/api/contract'
import { day } from '@/app/format'
import { useTexts } from './texts'
import css from './strip.module.css'

const parts = ['explained', 'decided', 'open'] as const

/** The last 14 days, a bar each: what accounted for itself, was decided, is open. */
export function Strip({ days }: { days: Today['days'] }) {
  const t = useTexts()
  const most = Math.max(...days.map((d) => d.made), 1)
  const sum = (f: (d: Today['days'][number]) => number) => days.reduce((n, d) => n + f(d), 0)
  return (
    <figure className={css.strip}>
      <figcaption className="hidden-but-read">
        {t('stripSays', { made: sum((d) => d.made), explained: sum((d) => d.explained), decided: sum((d) => d.decided), open: sum((d) => d.open) })}
      </figcaption>
      <div className={css.bars} aria-hidden="true">
        {days.map((d) => (
          <Tooltip key={d.day} label={t('stripDay', { day: day(d.day, t.language), made: d.made, explained: d.explained, decided: d.decided, open: d.open })}>
            <div className={css.day}>
              <span className={css.made}>{d.made || ''}</span>
              <div className={css.bar} style={{ height: `${(d.made / most) * 64}px` }}>
                {parts.map((p) => (d[p] > 0 ? <div key={p} data-part={p} style={{ flexGrow: d[p] }} /> : null))}
              </div>
              <span className={css.date}>{day(d.day, t.language)}</span>
            </div>
          </Tooltip>
        ))}
      </div>
      <div className={css.legend} aria-hidden="true">
        {(['open', 'decided', 'explained'] as const).map((p) => (
          <span key={p}>
            <i data-part={p} /> {t(`strip.${p}`)}
          </span>
        ))}
      </div>
    </figure>
  )
}
