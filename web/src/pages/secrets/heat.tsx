import { useId, useMemo, useState } from 'react'
import { useEventTexts } from '@/parts/event.texts'
import { Section } from '@/parts/page'
import { useTexts } from './texts'
import type { SecretDetail } from './types'
import { minuteOf, offsetHere, shade, week, zoneName, type Hour } from './week'
import css from './one.module.css'

const monday = Date.UTC(2024, 0, 1)

/** When it is used: hour by weekday, of all callers or of one kind, in the reader's zone or UTC. */
export function HeatMap({ of }: { of: SecretDetail }) {
  const t = useTexts()
  const words = useEventTexts()
  const here = offsetHere()
  const [utc, setUtc] = useState(false)
  const [caller, setCaller] = useState<string>()
  const [shown, setShown] = useState<Hour>()
  const offset = utc ? 0 : here
  const grid = useMemo(() => week(of, offset, caller), [of, offset, caller])
  const hours = grid.flat()
  const most = Math.max(...hours.map((h) => h.calls))
  const busiest = hours.find((h) => h.calls === most)
  const minutes = minuteOf(offset)
  const weekday = new Intl.DateTimeFormat(t.language, { weekday: 'short', timeZone: 'UTC' })
  const named = (d: number) => weekday.format(monday + d * 86_400_000)
  const clock = (h: number) => `${String(h % 24).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`
  const say = (h: Hour) => {
    const place = { weekday: named(h.day), from: clock(h.hour), to: clock(h.hour + 1) }
    if (h.known === 0 && h.calls === 0) return t('heatUnknown', place)
    const said = t('heatCell', { ...place, count: h.calls, weeks: h.known })
    return h.unknown > 0 ? `${said}; ${t('heatPart', { unknown: h.unknown })}` : said
  }
  const zone = zoneName(offset)
  return (
    <Section
      title={t('heat')} note={[t('heatNote', { zone }), minutes ? t('heatHalf', { minutes: String(minutes).padStart(2, '0') }) : ''].filter(Boolean).join('; ')}
      actions={
        here !== 0 && (
          <Choices label={t('zoneChoose')} chosen={utc ? 'utc' : 'here'} choose={(v) => setUtc(v === 'utc')} of={[{ value: 'here', text: t('zoneHere') }, { value: 'utc', text: t('zoneUTC') }]} />
        )
      }
    >
      {of.callers.length > 1 && (
        <Choices
          label={t('callers')} chosen={caller ?? ''} choose={(v) => setCaller(v || undefined)}
          of={[{ value: '', text: t('allCallers') }, ...of.callers.map((c) => ({ value: c.caller, text: words.word('caller', c.caller) }))]}
        />
      )}
      <figure
        className={css.heat} role="img"
        aria-label={busiest && most > 0 ? t('heatSays', { zone, weekday: named(busiest.day), hour: clock(busiest.hour), n: most }) : t('noUse')}
      >
        <div className={css.heatGrid} aria-hidden="true" onPointerLeave={() => setShown(undefined)}>
          <span />
          {Array.from({ length: 24 }, (_, h) => <span key={h} className={css.hour}>{h % 3 === 0 ? h : ''}</span>)}
          {grid.map((row, d) => [
            <span key={`d${d}`} className={css.weekday}>{named(d)}</span>,
            ...row.map((h) => (
              <span
                key={`${d}-${h.hour}`} className={`${css.cell} ${h.known === 0 && h.calls === 0 ? 'unknown' : ''}`} data-shade={shade(h.calls, most)}
                data-part={h.unknown > 0 && h.known > 0 ? '' : undefined} onPointerEnter={() => setShown(h)} onClick={() => setShown(h)}
              />
            )),
          ])}
        </div>
        <figcaption className={css.caption}>
          <span aria-live="polite">{shown ? say(shown) : busiest && most > 0 ? say(busiest) : t('noUse')}</span>
          <span className={css.scale}>
            {t('less')} {[0, 1, 2, 3, 4, 5].map((s) => <i key={s} className={css.cell} data-shade={s} />)} {t('more')} <i className={`${css.cell} unknown`} /> {t('notKnown')}
          </span>
        </figcaption>
      </figure>
    </Section>
  )
}

/** One of a few. */
function Choices({ label, of, chosen, choose }: { label: string; of: { value: string; text: string }[]; chosen: string; choose: (v: string) => void }) {
  const id = useId()
  return (
    <div className={css.choices} role="radiogroup" aria-label={label}>
      {of.map((o) => (
        <label key={o.value} data-on={o.value === chosen || undefined}>
          <input type="radio" name={id} checked={o.value === chosen} onChange={() => choose(o.value)} /> {o.text}
        </label>
      ))}
    </div>
  )
}
