import { Select, TextInput } from '@mantine/core'
import { span } from '@/app/format'
import { read, weekdayOf, weekdays, write, type Repeat } from './repeat'
import { useTexts } from './texts'
import { instant, isZone, wall, zones } from './zone'
import css from './page.module.css'

/** When planned work takes place: as the form has it. */
export interface Times {
  start: string
  end: string
  zone: string
  repeat: Repeat
}

export function timesOf(w: { start: string; end: string; zone: string; repeat: string }): Times {
  return { start: wall(w.start, w.zone), end: wall(w.end, w.zone), zone: w.zone || 'UTC', repeat: read(w.repeat) }
}

/** What is sent of it; undefined where it is no time. */
export function told(v: Times): { start: string; end: string; zone: string; repeat: string } | undefined {
  const start = instant(v.start, v.zone)
  const end = instant(v.end, v.zone)
  return start && end && end > start ? { start, end, zone: v.zone, repeat: write(v.repeat) } : undefined
}

const every = ['never', 'day', 'week', 'month', 'weekdayOfMonth'] as const

/** Begin, end, zone and repetition, by simple controls. */
export function WhenFields({ value: v, onChange, readOnly }: { value: Times; onChange: (v: Times) => void; readOnly?: boolean }) {
  const t = useTexts()
  const put = (more: Partial<Times>) => onChange({ ...v, ...more })
  const r = v.repeat
  const repeat = (more: Partial<Repeat>) => put({ repeat: { ...r, ...more } })
  const choose = (e: Repeat['every']) => {
    const day = weekdayOf(v.start || '2026-01-05')
    const nth = Math.min(Math.ceil(Number(v.start.slice(8, 10) || 1) / 7), 4)
    put({ repeat: { ...r, every: e, days: e === 'week' || e === 'weekdayOfMonth' ? [day] : [], nth, rule: e === 'other' ? write(r) : '' } })
  }
  const start = instant(v.start, v.zone)
  const end = instant(v.end, v.zone)
  const lasts = start && end ? (new Date(end).getTime() - new Date(start).getTime()) / 1000 : undefined
  return (
    <div className={css.form}>
      <div className={css.two}>
        <TextInput type="datetime-local" label={t('start')} value={v.start} onChange={(e) => put({ start: e.currentTarget.value })} required withAsterisk={false} readOnly={readOnly} />
        <TextInput
          type="datetime-local" label={t('end')} value={v.end} onChange={(e) => put({ end: e.currentTarget.value })} required withAsterisk={false} readOnly={readOnly}
          error={lasts !== undefined && lasts <= 0 ? t('endWrong') : undefined} description={lasts !== undefined && lasts > 0 ? t('lasts', { span: span(lasts, t.language) }) : undefined}
          inputWrapperOrder={['label', 'input', 'description', 'error']}
        />
      </div>
      <div className={css.two}>
        <TextInput label={t('zone')} value={v.zone} onChange={(e) => put({ zone: e.currentTarget.value })} list="zones" error={isZone(v.zone) ? undefined : t('zoneWrong')} spellCheck={false} readOnly={readOnly} />
        <datalist id="zones">
          {zones().map((z) => (
            <option key={z} value={z} />
          ))}
        </datalist>
        <Select
          label={t('repeat')} value={r.every} disabled={readOnly} allowDeselect={false} onChange={(e) => e && choose(e as Repeat['every'])}
          data={[...every, 'other' as const].map((e) => ({ value: e, label: t(`every.${e}`) }))}
        />
      </div>
      {r.every === 'other' && (
        <TextInput className={css.mono} label={t('rule')} value={r.rule} onChange={(e) => repeat({ rule: e.currentTarget.value })} placeholder="FREQ=WEEKLY;BYDAY=SU" maxLength={1024} readOnly={readOnly} />
      )}
      {(r.every === 'week' || r.every === 'weekdayOfMonth') && (
        <div className={css.row}>
          {r.every === 'weekdayOfMonth' && (
            <Select label={t('which')} w={110} value={String(r.nth)} disabled={readOnly} allowDeselect={false} onChange={(n) => repeat({ nth: Number(n) })} data={([1, 2, 3, 4, -1] as const).map((n) => ({ value: String(n), label: t(`nth.${n}`) }))} />
          )}
          <div className={css.days} role="group" aria-label={t('onDays')}>
            {weekdays.map((d) => (
              <button
                key={d} type="button" disabled={readOnly} aria-pressed={r.days.includes(d)}
                onClick={() => repeat({ days: r.every === 'weekdayOfMonth' ? [d] : r.days.includes(d) ? r.days.filter((x) => x !== d) : [...r.days, d] })}
              >
                {t(`day.${d}`)}
              </button>
            ))}
          </div>
        </div>
      )}
      {r.every !== 'never' && r.every !== 'other' && (
        <div className={css.two}>
          <TextInput type="number" label={t('interval')} min={1} max={99} value={String(r.interval)} onChange={(e) => repeat({ interval: Math.max(1, Math.round(Number(e.currentTarget.value)) || 1) })} readOnly={readOnly} />
          <TextInput type="date" label={t('repeatUntil')} value={r.until} onChange={(e) => repeat({ until: e.currentTarget.value })} readOnly={readOnly} />
        </div>
      )}
    </div>
  )
}
