import { Modal, useMantineColorScheme } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useId, useMemo, useState } from 'react'
import { Icon, type IconName } from '@/parts/icon'
import { quoted } from './filter'
import { nav } from './nav'
import { setLanguage } from './texts'
import { useShell } from './texts.shell'
import css from './commands.module.css'

interface Command {
  label: string
  icon: IconName
  keys?: string
  run: () => void
}

/** Where to, or what: pages, settings, and a search for what was typed. */
export function Commands({ close }: { close: () => void }) {
  const t = useShell()
  const id = useId()
  const navigate = useNavigate()
  const { setColorScheme } = useMantineColorScheme()
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)

  const shown = useMemo(() => {
    const pages: Command[] = nav.map((n) => ({ label: t(n.text), icon: n.icon, keys: `g ${n.key}`, run: () => void navigate({ to: n.to }) }))
    const others: Command[] = [
      { label: `${t('language')}: English`, icon: 'settings', run: () => setLanguage('en') },
      { label: `${t('language')}: 日本語`, icon: 'settings', run: () => setLanguage('ja') },
      ...(['light', 'dark', 'auto'] as const).map((s) => ({ label: `${t('theme')}: ${t(`theme.${s}`)}`, icon: s, run: () => setColorScheme(s) })),
    ]
    const typed = text.trim()
    const wanted = typed.toLowerCase()
    const named = [...pages, ...others].filter((c) => c.label.toLowerCase().includes(wanted))
    if (!typed) return named
    const searches: Command[] = [
      { label: t('findFindings', { text: typed }), icon: 'findings', run: () => void navigate({ to: '/findings', search: { q: `text:${quoted(typed)}`, show: 'all' } }) },
    ]
    // The search page is a page like any other; it is offered where there is one.
    if (nav.some((n) => (n.to as string) === '/search')) {
      searches.push({ label: t('findEvents', { text: typed }), icon: 'search', run: () => void navigate({ to: '/search' as '/', search: { q: quoted(typed) } as never }) })
    }
    return [...named, ...searches]
  }, [text, t, navigate, setColorScheme])

  const chosen = Math.min(at, shown.length - 1)
  const run = (c: Command | undefined) => {
    if (!c) return
    close()
    c.run()
  }
  return (
    <Modal opened onClose={close} withCloseButton={false} padding={0} size="md" yOffset="12vh" aria-label={t('commands')}>
      <input
        className={css.input}
        data-autofocus
        role="combobox"
        aria-expanded="true"
        aria-controls={id}
        aria-activedescendant={shown[chosen] && `${id}-${chosen}`}
        aria-label={t('commands')}
        placeholder={t('commands')}
        value={text}
        onChange={(e) => {
          setText(e.currentTarget.value)
          setAt(0)
        }}
        onKeyDown={(e) => {
          if (e.nativeEvent.isComposing) return
          if (e.key === 'ArrowDown') setAt((chosen + 1) % shown.length)
          else if (e.key === 'ArrowUp') setAt((chosen + shown.length - 1) % shown.length)
          else if (e.key === 'Enter') run(shown[chosen])
          else return
          e.preventDefault()
        }}
      />
      <ul id={id} role="listbox" aria-label={t('commands')} className={css.list}>
        {shown.map((c, i) => (
          <li
            key={c.label}
            id={`${id}-${i}`}
            role="option"
            aria-selected={i === chosen}
            ref={(el) => {
              if (i === chosen) el?.scrollIntoView({ block: 'nearest' })
            }}
            onMouseMove={() => setAt(i)}
            onClick={() => run(c)}
          >
            <Icon name={c.icon} size={14} />
            <bdi>{c.label}</bdi>
            {c.keys && <kbd>{c.keys}</kbd>}
          </li>
        ))}
      </ul>
      {shown.length === 0 && <p className={css.none}>{t('commandsNone')}</p>}
    </Modal>
  )
}
