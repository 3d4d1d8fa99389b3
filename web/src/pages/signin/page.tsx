import { Button, PasswordInput, TextInput } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link, useRouter } from '@tanstack/react-router'
import { useEffect, useRef, useState, type FormEvent } from 'react'
import { get, Problem, send } from '@/api/client'
import type { Session } from '@/api/contract'
import { sessionQuery } from '@/app/session'
import { Outside } from '@/parts/outside'
import { Asked, useProblem } from '@/parts/states'
import { useTexts } from './texts'
import css from './page.module.css'

/** A page of ours to go on to, and never one of somebody else. */
export function ours(to: string | undefined): string {
  return to && /^\/(?![/\\])/.test(to) ? to : '/'
}

/** The secret of a one-time link; it stands behind the #, which nobody is sent. */
function linkOf(hash: string): string {
  return new URLSearchParams(hash.replace(/^#/, '')).get('link') ?? ''
}

/** Goes in once the server has given a session. */
function useEnter() {
  const queries = useQueryClient()
  const router = useRouter()
  return async (s: Session, to: string) => {
    queries.clear()
    queries.setQueryData(sessionQuery.queryKey, s)
    await router.invalidate()
    router.history.replace(to)
  }
}

/** What went wrong, in words for somebody who is nobody here yet. */
function useRefusal(): (e: unknown) => string {
  const t = useTexts()
  const problem = useProblem()
  return (e) => {
    if (e instanceof Problem && e.status === 401) return t('wrong')
    if (e instanceof Problem && e.status === 429) return t('wait')
    if (e instanceof Problem && e.status === 410) return `${t('used')} ${t('usedNote')}`
    return problem(e)
  }
}

const page = getRouteApi('/signin')

export function SignIn() {
  const t = useTexts()
  const { to, problem } = page.useSearch()
  const methods = useQuery({ ...get('/api/signin'), retry: 1 })
  const enter = useEnter()
  const refusal = useRefusal()
  const [error, setError] = useState(problem ? t.word('problem', problem) : '')
  const [busy, setBusy] = useState(false)
  const by = useRef(linkOf(window.location.hash))
  const begun = useRef(false)

  useEffect(() => {
    // A link is good once: the second run of an effect must not use it up.
    if (!by.current || begun.current) return
    begun.current = true
    send('post', '/api/signin/link', { body: { link: by.current } }).then(
      (s) => enter(s, ours(to)),
      (e: unknown) => {
        by.current = ''
        setError(refusal(e))
      },
    )
  })

  const submit = async (e: FormEvent<HTMLFormElement>) => {
    e.preventDefault()
    const form = new FormData(e.currentTarget)
    setBusy(true)
    setError('')
    try {
      const s = await send('post', '/api/signin', { body: { user: String(form.get('user')), password: String(form.get('password')) } })
      await enter(s, ours(to))
    } catch (e) {
      setError(refusal(e))
      setBusy(false)
    }
  }

  if (by.current) return <Outside title={t('title')}>{t('following')}</Outside>
  return (
    <Outside title={t('title')}>
      <Asked of={methods} lines={3}>
        {({ first_run, methods: { password, oidc } }) =>
          first_run ? (
            <>
              <h2>{t('firstNeeded')}</h2>
              <p className="dim">{t('firstNeededNote')}</p>
            </>
          ) : (
            <>
              {oidc.map((p) => (
                <Button key={p.id} component="a" fullWidth size="sm" href={`/api/signin/oidc/${encodeURIComponent(p.id)}?to=${encodeURIComponent(ours(to))}`}>
                  {t('with', { name: p.name })}
                </Button>
              ))}
              {oidc.length > 0 && password && <p className={css.or}>{t('or')}</p>}
              {password && (
                <form onSubmit={(e) => void submit(e)} className={css.form}>
                  <TextInput size="sm" name="user" label={t('user')} autoComplete="username" autoCapitalize="none" spellCheck={false} required withAsterisk={false} autoFocus />
                  <PasswordInput size="sm" name="password" label={t('password')} autoComplete="current-password" required withAsterisk={false} />
                  <Button type="submit" size="sm" fullWidth loading={busy} variant={oidc.length ? 'default' : 'filled'}>
                    {t('enter')}
                  </Button>
                </form>
              )}
              {!password && oidc.length === 0 && <p>{t('none')}</p>}
            </>
          )
        }
      </Asked>
      {error && (
        <p role="alert" className={css.error}>
          {error}
        </p>
      )}
    </Outside>
  )
}

/** The first user, made by the link that the server printed. */
export function FirstRun() {
  const t = useTexts()
  return (
    <WithLink title={t('firstTitle')} note={t('firstNote')} button={t('make')} user>
      {(link, user, password) => send('post', '/api/first-run', { body: { link, user, password } })}
    </WithLink>
  )
}

/** A password, chosen by the link that an admin gave. */
export function SetPassword() {
  const t = useTexts()
  return (
    <WithLink title={t('setTitle')} button={t('set')}>
      {(link, _, password) => send('post', '/api/signin/link', { body: { link, password } })}
    </WithLink>
  )
}

interface WithLinkProps {
  title: string
  note?: string
  button: string
  user?: boolean
  children: (link: string, user: string, password: string) => Promise<Session>
}

function WithLink({ title, note, button, user, children }: WithLinkProps) {
  const t = useTexts()
  const enter = useEnter()
  const refusal = useRefusal()
  const [link] = useState(() => linkOf(window.location.hash))
  const [error, setError] = useState('')
  const [different, setDifferent] = useState(false)
  const [busy, setBusy] = useState(false)

  const submit = async (e: FormEvent<HTMLFormElement>) => {
    e.preventDefault()
    const form = new FormData(e.currentTarget)
    const password = String(form.get('password'))
    setDifferent(password !== form.get('again'))
    if (password !== form.get('again')) return
    setBusy(true)
    setError('')
    try {
      await enter(await children(link, String(form.get('user') ?? ''), password), '/')
    } catch (e) {
      setError(refusal(e))
      setBusy(false)
    }
  }

  return (
    <Outside title={title}>
      {note && <p className="dim">{note}</p>}
      {link ? (
        <form onSubmit={(e) => void submit(e)} className={css.form}>
          {user && <TextInput size="sm" name="user" label={t('user')} autoComplete="username" autoCapitalize="none" spellCheck={false} required withAsterisk={false} autoFocus />}
          <PasswordInput size="sm" name="password" label={t('password')} description={t('minimum')} autoComplete="new-password" minLength={12} required withAsterisk={false} />
          <PasswordInput size="sm" name="again" label={t('again')} autoComplete="new-password" required withAsterisk={false} error={different && t('different')} />
          <Button type="submit" size="sm" fullWidth loading={busy}>
            {button}
          </Button>
        </form>
      ) : (
        <>
          <p>{t('noLink')}</p>
          <Link to="/signin">{t('otherwise')}</Link>
        </>
      )}
      {error && (
        <p role="alert" className={css.error}>
          {error}
        </p>
      )}
    </Outside>
  )
}
