import { Button, Popover, TextInput } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import { moment } from '@/app/format'
import { Icon } from '@/parts/icon'
import { readTime, spanOf, spans, written, type Range, type Span } from './range'
import { useTexts } from './texts'
import css from './time.module.css'

interface Props {
  value: Range
  /** What is shown at present, to begin from. */
  shown?: Range
  onChange: (r: Range) => void
}

const all: (Span | 'all')[] = [...(Object.keys(spans) as Span[]), 'all']

/** Which time is looked at: spans back from now, or from when until when. */
export function TimeRange({ value, shown, onChange }: Props) {
  const t = useTexts()
  const [open, setOpen] = useState(false)
  const span = spanOf(value)
  const own = span === undefined
  return (
    <div className={css.range} role="group" aria-label={t('range')}>
      {all.map((s) => (
        <button key={s} type="button" aria-pressed={s === span} title={t(`rangeLong.${s}`)} onClick={() => onChange(s === 'all' ? {} : { since: `-${s}` })}>
          {t(`range.${s}`)}
        </button>
      ))}
      <Popover opened={open} onChange={setOpen} position="bottom-end" trapFocus withRoles transitionProps={{ duration: 0 }}>
        <Popover.Target>
          <button type="button" aria-pressed={own} onClick={() => setOpen(!open)}>
            {own ? `${value.since ? moment(readTime(value.since) ?? '', t.language) : '…'} – ${value.until ? moment(readTime(value.until) ?? '', t.language) : '…'}` : t('rangeOwn')}
            <Icon name="down" size={9} />
          </button>
        </Popover.Target>
        <Popover.Dropdown>
          {open && <Own from={shown} onSet={(r) => { setOpen(false); onChange(r) }} />}
        </Popover.Dropdown>
      </Popover>
    </div>
  )
}

function Own({ from, onSet }: { from: Range | undefined; onSet: (r: Range) => void }) {
  const t = useTexts()
  const [wrong, setWrong] = useState<{ since?: string; until?: string }>({})
  const set = (e: FormEvent<HTMLFormElement>) => {
    e.preventDefault()
    const form = new FormData(e.currentTarget)
    const texts = { since: String(form.get('since')).trim(), until: String(form.get('until')).trim() }
    const since = readTime(texts.since)
    const until = readTime(texts.until)
    const bad = {
      since: texts.since && !since ? t('rangeWrong') : undefined,
      until: texts.until && !until ? t('rangeWrong') : since && until && until <= since ? t('rangeOrder') : undefined,
    }
    setWrong(bad)
    if (!bad.since && !bad.until) onSet({ since: since && written(since), until: until && written(until) })
  }
  return (
    <form onSubmit={set} className={css.own}>
      <TextInput name="since" label={t('rangeFrom')} defaultValue={written(from?.since)} placeholder="2026-03-02T09:30" error={wrong.since} data-autofocus spellCheck={false} autoComplete="off" />
      <TextInput name="until" label={t('rangeTo')} defaultValue={written(from?.until)} placeholder="2026-03-03" error={wrong.until} spellCheck={false} autoComplete="off" />
      <Button type="submit">{t('rangeSet')}</Button>
    </form>
  )
}
