import { TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useId, useRef, useState } from 'react'
import { get, Problem } from '@/api/client'
import { Icon } from '@/parts/icon'
import { LogText } from '@/parts/log-text'
import { accepted, calledBy, fieldsLike, placeAt, type Field, type Place } from './complete'
import { inJapanese } from './columns.ja'
import { useTexts } from './texts'
import css from './box.module.css'

interface Option {
  value: string
  doc?: string
  also?: string
}

interface Props {
  value: string
  onChange: (q: string) => void
  /** What the server said of the filter. */
  error?: unknown
}

/** The columns of events; they do not change while the server runs. */
export function useColumns(): Field[] {
  return useTables()?.columns ?? none
}

/** The columns of both tables of SQL. */
export function useTables() {
  return useQuery({ ...get('/api/columns'), staleTime: Infinity }).data
}
const none: Field[] = []

/** What could stand at the cursor. */
function useOptions(place: Place | undefined): Option[] {
  const t = useTexts()
  const columns = useColumns()
  const field = place?.kind === 'value' ? columns.find((c) => c.name === place.field.toLowerCase() || c.aliases.includes(place.field.toLowerCase())) : undefined
  const [prefix] = useDebouncedValue(place?.kind === 'value' ? place.typed : '', 120)
  const fixed = field && (field.values.length > 0 ? field.values : field.type === 'boolean' ? ['true', 'false'] : undefined)
  const asks = !!field && !fixed && ['text', 'address', 'list', 'uuid'].includes(field.type)
  const values = useQuery({
    ...get('/api/search/complete', { query: { field: field?.name ?? '', prefix, limit: 12 } }),
    enabled: asks, staleTime: 60_000, placeholderData: (before) => before,
  })
  if (!place) return []
  if (place.kind === 'field') {
    return fieldsLike(columns, place.typed).map((f) => {
      const value = calledBy(f, place.typed)
      const others = [f.name, ...f.aliases].filter((n) => n !== value)
      return { value, doc: (t.language === 'ja' && inJapanese[f.name]) || f.doc, also: others.length ? t('completionAlso', { names: others.join(', ') }) : undefined }
    })
  }
  const typed = place.typed.toLowerCase()
  if (fixed) return fixed.filter((v) => v.startsWith(typed)).map((value) => ({ value }))
  return asks ? (values.data?.values ?? []).filter((v) => v !== '').map((value) => ({ value })) : []
}

/** The box a filter is written in, with what could stand at the cursor below it. */
export function FilterBox({ value, onChange, error }: Props) {
  const t = useTexts()
  const id = useId()
  const input = useRef<HTMLInputElement>(null)
  const [text, setText] = useState(value)
  const [cursor, setCursor] = useState(0)
  const [open, setOpen] = useState(false)
  const [at, setAt] = useState(-1)
  const said = useRef(value)
  useEffect(() => {
    if (value !== said.current) setText(value)
    said.current = value
  }, [value])

  const place = open ? placeAt(text, cursor) : undefined
  const options = useOptions(place)
  const shown = open && options.length > 0 && !(options.length === 1 && place && options[0]?.value === place.typed)
  const chosen = Math.min(at, options.length - 1)
  useEffect(() => setAt(-1), [place?.kind, place?.from, place?.typed])

  const keep = (next = text) => {
    setOpen(false)
    said.current = next.trim()
    onChange(next.trim())
  }
  const accept = (o: Option | undefined) => {
    if (!o || !place) return
    const next = accepted(text, place, o.value)
    setText(next.text)
    setCursor(next.cursor)
    setOpen(true)
    // The cursor is put after the text is in the box.
    requestAnimationFrame(() => input.current?.setSelectionRange(next.cursor, next.cursor))
  }
  const moved = () => setCursor(input.current?.selectionStart ?? 0)
  const wrong = error instanceof Problem && (error.status === 422 || error.status === 400) ? error.detail : undefined

  const press = (e: React.KeyboardEvent) => {
    if (e.nativeEvent.isComposing) return
    if (shown && (e.key === 'ArrowDown' || e.key === 'ArrowUp')) {
      e.preventDefault()
      const by = e.key === 'ArrowDown' ? 1 : -1
      setAt((chosen + by + options.length + (chosen < 0 && by < 0 ? 1 : 0)) % options.length)
    } else if (e.key === 'ArrowDown' && !open) setOpen(true)
    else if (e.key === 'Tab' && !e.shiftKey && shown && place?.typed) {
      e.preventDefault()
      accept(options[Math.max(chosen, 0)])
    } else if (e.key === 'Enter') {
      e.preventDefault()
      if (shown && chosen >= 0) accept(options[chosen])
      else keep()
    } else if (e.key === 'Escape') {
      e.preventDefault()
      if (shown) setOpen(false)
      else {
        setText(value)
        input.current?.blur()
      }
    }
  }

  return (
    <div className={css.box}>
      <TextInput
        ref={input} data-search classNames={{ input: css.mono }} value={text} aria-label={t('filter')} placeholder={t('filterHint')} title={t('filterHelp')}
        role="combobox" aria-expanded={shown} aria-controls={id} aria-autocomplete="list" aria-activedescendant={shown && chosen >= 0 ? `${id}-${chosen}` : undefined}
        spellCheck={false} autoCapitalize="none" autoComplete="off" leftSection={<Icon name="search" size={13} />} error={wrong && <LogText wrap>{wrong}</LogText>}
        onChange={(e) => { setText(e.currentTarget.value); setCursor(e.currentTarget.selectionStart ?? 0); setOpen(true) }}
        onKeyDown={press} onSelect={moved} onFocus={moved}
        onBlur={() => { setOpen(false); if (text.trim() !== value) keep() }}
        rightSectionWidth={60}
        rightSection={text && <button type="button" className={css.clear} onMouseDown={(e) => e.preventDefault()} onClick={() => { setText(''); keep('') }}>{t('clear')}</button>}
      />
      {shown && (
        <ul className={css.options} id={id} role="listbox" aria-label={t('completions')}>
          {options.map((o, i) => (
            <li
              key={o.value} id={`${id}-${i}`} role="option" aria-selected={i === chosen} onPointerEnter={() => setAt(i)}
              onMouseDown={(e) => { e.preventDefault(); accept(o) }}
            >
              <LogText mono most={80}>{o.value}</LogText>
              {o.doc && <span className={css.doc}>{o.doc}{o.also && `, ${o.also}`}</span>}
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}
