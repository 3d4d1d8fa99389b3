import { ActionIcon, Menu, Tooltip, UnstyledButton, useMantineColorScheme } from '@mantine/core'
import { Link, Outlet, useNavigate, useRouterState } from '@tanstack/react-router'
import { useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query'
import { lazy, Suspense, useEffect, useRef, useState } from 'react'
import { fetchOnce, send } from '@/api/client'
import { Icon, Mark } from '@/parts/icon'
import { useParts } from '@/parts/texts'
import { setClock } from '@/parts/when'
import { useKeys, listen } from './keys'
import { connect, useConnected, useLive } from './live'
import { nav } from './nav'
import { sessionQuery, useSession } from './session'
import { languages, type Language } from './language'
import { setLanguage } from './texts'
import { useShell } from './texts.shell'
import { Toasts } from './toast'
import { replace, shownKeys, useTriage } from './triage'
import css from './shell.module.css'

const Commands = lazy(() => import('./commands').then((m) => ({ default: m.Commands })))
const Help = lazy(() => import('./help').then((m) => ({ default: m.Help })))

/** The frame of every page behind sign-in. */
export function Shell() {
  const t = useShell()
  const navigate = useNavigate()
  const { undo } = useTriage()
  const [open, setOpen] = useState<'commands' | 'help' | 'menu' | undefined>()
  const path = useRouterState({ select: (s) => s.location.pathname })
  const main = useRef<HTMLElement>(null)
  const came = useRef(path)
  useEffect(() => {
    setOpen(undefined)
    // Who hears pages, and whoever walks them by Tab, goes on from the new one.
    if (came.current !== path) main.current?.focus({ preventScroll: true })
    came.current = path
  }, [path])
  useEffect(listen, [])
  useEffect(connect, [])
  useSettings()
  useStale()

  useKeys(t('keysAll'), [
    { keys: '/', label: t('keySearch'), run: () => focusSearch() || setOpen('commands') },
    { keys: 'mod+k', label: t('keyCommands'), run: () => setOpen('commands') },
    { keys: 'u', label: t('keyUndo'), run: () => void undo() },
    { keys: '?', label: t('keyHelp'), run: () => setOpen('help') },
    ...nav.map((n) => ({ keys: `g ${n.key}`, label: t('go', { page: t(n.text) }), run: () => void navigate({ to: n.to }) })),
  ])

  return (
    <div className={css.shell}>
      <a className={css.skip} href="#page">
        {t('skip')}
      </a>
      <header className={css.top}>
        <ActionIcon aria-label={t('menu')} aria-expanded={open === 'menu'} onClick={() => setOpen(open === 'menu' ? undefined : 'menu')}>
          <Icon name={open === 'menu' ? 'close' : 'menu'} />
        </ActionIcon>
        <Link to="/" className={css.home}>
          <Mark size={20} /> Yagura
        </Link>
        <ActionIcon aria-label={t('keyCommands')} onClick={() => setOpen('commands')}>
          <Icon name="search" />
        </ActionIcon>
      </header>
      <aside className={css.side} aria-label={t('side')} data-open={open === 'menu' || undefined}>
        <Link to="/" className={css.mark}>
          <Mark /> <b>Yagura</b>
        </Link>
        <UnstyledButton className={css.jump} onClick={() => setOpen('commands')}>
          <Icon name="search" size={14} /> <span>{t('commands')}</span> <kbd>/</kbd>
        </UnstyledButton>
        <nav aria-label={t('main')}>
          {nav.map((n) => (
            <Link key={n.to} to={n.to} className={css.link} activeProps={{ 'aria-current': 'page' }} activeOptions={{ exact: n.to === '/', includeSearch: false }}>
              <Icon name={n.icon} /> {t(n.text)}
            </Link>
          ))}
        </nav>
        <div className={css.foot}>
          <Live />
          <Account />
          <Tooltip label={t('keyHelp')}>
            <ActionIcon aria-label={t('help')} onClick={() => setOpen('help')}>
              <span className={css.question}>?</span>
            </ActionIcon>
          </Tooltip>
        </div>
      </aside>
      {/* A page that scrolls inside itself can still be reached by keys. */}
      <main id="page" ref={main} className={css.main} tabIndex={-1}>
        <Outlet />
      </main>
      <Suspense>
        {open === 'commands' && <Commands close={() => setOpen(undefined)} />}
        {open === 'help' && <Help close={() => setOpen(undefined)} />}
      </Suspense>
      <Toasts />
    </div>
  )
}

/** Puts the cursor in the page's own search box, when it has one. */
function focusSearch(): boolean {
  const box = document.querySelector<HTMLInputElement>('#page [data-search]')
  box?.focus()
  box?.select()
  return !!box
}

/** Language and look of the account, when they were chosen on another machine. */
function useSettings() {
  const { data: session, dataUpdatedAt } = useQuery(sessionQuery)
  const { setColorScheme } = useMantineColorScheme()
  const clock = session?.now
  useEffect(() => {
    if (clock) setClock(clock, dataUpdatedAt)
  }, [clock, dataUpdatedAt])
  const language = session?.language
  const look = session?.theme
  useEffect(() => {
    const known = languages.find((l) => l === language)
    if (known && !localStorage.getItem('yagura.language')) setLanguage(known)
  }, [language])
  useEffect(() => {
    if ((look === 'light' || look === 'dark') && !localStorage.getItem('mantine-color-scheme-value')) setColorScheme(look)
  }, [look, setColorScheme])
}

/** What the server says has changed is asked anew, but no more often than every two seconds. */
function useStale() {
  const queries = useQueryClient()
  const [waiting, setWaiting] = useState<string[]>([])
  const changed = useRef(new Set<string>())
  useEffect(() => {
    if (waiting.length === 0) return
    const timer = setTimeout(() => {
      setWaiting([])
      for (const path of new Set(waiting)) void queries.invalidateQueries({ queryKey: [path] })
      void refetchShown(queries, changed.current)
      changed.current = new Set()
    }, 2000)
    return () => clearTimeout(timer)
  }, [waiting.length > 0, queries]) // eslint-disable-line
  const soon = (...paths: string[]) => setWaiting((w) => [...w, ...paths])
  useLive('finding', (f) => {
    soon('/api/today', '/api/findings/facets', '/api/cases')
    if (f.change !== 'new') changed.current.add(f.key)
  })
  useLive('ledger', () => soon('/api/ledger', '/api/ledger/matrix', '/api/ledger/formats', '/api/sources'))
  useLive('missed', () => void queries.invalidateQueries())
  useLive('rules', () => soon('/api/rules', '/api/rules/coverage'))
}

/** Findings that changed are put in place where they are shown: lists do not jump under the hand. */
async function refetchShown(queries: QueryClient, changed: Set<string>) {
  const shown = shownKeys(queries)
  const wanted = [...changed].filter((k) => shown.has(k))
  if (wanted.length > 30) {
    await Promise.all(['/api/findings', '/api/findings/{key}'].map((p) => queries.invalidateQueries({ queryKey: [p] })))
    return
  }
  // One that is gone, or fails, is asked for again when its list is.
  const answers = await Promise.allSettled(wanted.map((key) => fetchOnce('/api/findings/{key}', { path: { key } })))
  replace(queries, answers.flatMap((a) => (a.status === 'fulfilled' ? [a.value] : [])))
}

function Live() {
  const t = useShell()
  const connected = useConnected()
  return (
    <Tooltip label={connected ? t('live') : t('notLive')}>
      <span className={css.live} data-on={connected || undefined} role="img" aria-label={connected ? t('live') : t('notLive')}>
        <Icon name="live" size={14} />
      </span>
    </Tooltip>
  )
}

function Account() {
  const t = useShell()
  const parts = useParts()
  const session = useSession()
  const queries = useQueryClient()
  const navigate = useNavigate()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  if (!session) return null
  const keep = (body: { language?: Language; theme?: '' | 'light' | 'dark' }) => {
    // It holds here at once; that the account remembers it elsewhere may fail.
    send('patch', '/api/session', { body }).then(
      (s) => queries.setQueryData(sessionQuery.queryKey, s),
      () => {},
    )
  }
  const choose = (l: Language) => {
    setLanguage(l)
    keep({ language: l })
  }
  const look = (theme: 'light' | 'dark' | 'auto') => {
    setColorScheme(theme)
    keep({ theme: theme === 'auto' ? '' : theme })
  }
  const signOut = async () => {
    await send('post', '/api/signout', {}).catch(() => {})
    queries.clear()
    await navigate({ to: '/signin' })
  }
  return (
    <Menu position="top-start" width={220}>
      <Menu.Target>
        <UnstyledButton className={css.account} title={t('account', { name: session.name || session.user })}>
          <Icon name="person" />
          <span>
            <bdi>{session.name || session.user}</bdi>
            <small>{parts(`role.${session.role}`)}</small>
          </span>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t('language')}</Menu.Label>
        <Menu.Item onClick={() => choose('en')} rightSection={t.language === 'en' && <Icon name="check" size={12} />}>
          English
        </Menu.Item>
        <Menu.Item onClick={() => choose('ja')} rightSection={t.language === 'ja' && <Icon name="check" size={12} />}>
          日本語
        </Menu.Item>
        <Menu.Label>{t('theme')}</Menu.Label>
        {(['auto', 'light', 'dark'] as const).map((s) => (
          <Menu.Item key={s} leftSection={<Icon name={s} size={14} />} onClick={() => look(s)} rightSection={colorScheme === s && <Icon name="check" size={12} />}>
            {t(`theme.${s}`)}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item onClick={() => void signOut()}>{t('signOut')}</Menu.Item>
        <Menu.Label>{t('version', { version: session.version })}</Menu.Label>
      </Menu.Dropdown>
    </Menu>
  )
}
