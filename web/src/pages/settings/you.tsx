import { Button, PasswordInput, SegmentedControl, useMantineColorScheme } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { send } from '@/api/client'
import { sessionQuery, useSession } from '@/app/session'
import type { Language } from '@/app/language'
import { setLanguage } from '@/app/texts'
import { toast } from '@/app/toast'
import { LogText } from '@/parts/log-text'
import { Page, Section } from '@/parts/page'
import { useProblem } from '@/parts/states'
import { Shows } from './shows'
import { useTexts } from './texts'
import css from './page.module.css'

/** Who is signed in, and how the console looks to them. */
export function You() {
  const t = useTexts()
  const s = useSession()
  const queries = useQueryClient()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  if (!s) return null
  const keep = (body: { language?: Language; theme?: '' | 'light' | 'dark' }) => {
    // It holds here at once; that the account remembers it elsewhere may fail.
    send('patch', '/api/session', { body }).then((now) => queries.setQueryData(sessionQuery.queryKey, now), () => {})
  }
  return (
    <Page
      title={t('title')}
      answer={t.rich('youAre', { name: <LogText>{s.name}</LogText>, role: t.word('role', s.role) })}
      more={
        <>
          {s.accounts.length ? t.rich('youSeeSome', { n: String(s.accounts.length), accounts: <LogText wrap>{s.accounts.join(', ')}</LogText> }) : t('youSee')}{' '}
          {s.method && (s.method !== 'password' || s.password_set) && t.rich('byMethod', { method: <LogText>{t.word('method', s.method)}</LogText> })}
        </>
      }
    >
      <Shows />
      <Section title={t('language')}>
        <SegmentedControl
          size="xs" aria-label={t('language')} value={t.language} data={[{ value: 'en', label: 'English' }, { value: 'ja', label: '日本語' }]}
          onChange={(l) => { setLanguage(l as Language); keep({ language: l as Language }) }}
        />
      </Section>
      <Section title={t('look')}>
        <SegmentedControl
          size="xs" aria-label={t('look')} value={colorScheme} data={(['light', 'dark', 'auto'] as const).map((l) => ({ value: l, label: t(`look.${l}`) }))}
          onChange={(l) => { setColorScheme(l as 'light' | 'dark' | 'auto'); keep({ theme: l === 'auto' ? '' : (l as 'light' | 'dark') }) }}
        />
      </Section>
      {s.password_set && s.via === 'session' && <Password user={s.user} />}
    </Page>
  )
}

function Password({ user }: { user: string }) {
  const t = useTexts()
  const problem = useProblem()
  const [wrong, setWrong] = useState('')
  const set = async (e: FormEvent<HTMLFormElement>) => {
    e.preventDefault()
    const form = e.currentTarget
    const given = new FormData(form)
    setWrong('')
    try {
      await send('post', '/api/session/password', { body: { former: String(given.get('old')), password: String(given.get('new')) } })
      form.reset()
      toast({ text: t('passwordDone') }, 5)
    } catch (e) {
      setWrong(problem(e))
    }
  }
  return (
    <Section title={t('password')}>
      <form className={css.form} onSubmit={(e) => void set(e)}>
        <input type="text" name="user" autoComplete="username" value={user} readOnly hidden />
        <div className={css.two}>
          <PasswordInput size="xs" name="old" label={t('passwordOld')} autoComplete="current-password" required withAsterisk={false} />
          <PasswordInput size="xs" name="new" label={t('passwordNew')} autoComplete="new-password" required withAsterisk={false} />
        </div>
        {wrong && <p role="alert" className={css.warn}>{wrong}</p>}
        <div className={css.row}>
          <Button type="submit" variant="default">{t('passwordSet')}</Button>
        </div>
      </form>
    </Section>
  )
}
