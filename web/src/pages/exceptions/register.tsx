import { Button, MultiSelect, Select, TextInput } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { get, Problem, send } from '@/api/client'
import { exact } from '@/app/format'
import { LogText } from '@/parts/log-text'
import { Outside } from '@/parts/outside'
import { Failed, Loading, useProblem } from '@/parts/states'
import { When } from '@/parts/when'
import { never } from './repeat'
import { useTexts } from './texts'
import type { Registering } from './types'
import { told, WhenFields, type Times } from './when'
import { sorts } from './window'
import { here, wall } from './zone'
import css from './page.module.css'

/** The public page: a team that has a link tells of its own planned work. */
export function Register() {
  const t = useTexts()
  // It stands behind the #, which no server is sent and no log keeps.
  const [link] = useState(() => new URLSearchParams(window.location.hash.replace(/^#/, '')).get('link') ?? '')
  const asked = useQuery({ ...get('/api/register/{link}', { path: { link } }), enabled: !!link, retry: false })
  const bad = asked.error instanceof Problem && [404, 410].includes(asked.error.status)
  return (
    <Outside title={t('registerTitle')} wide>
      {!link ? <p>{t('registerNoLink')}</p> : bad ? <p role="alert">{t('registerBad')}</p> : asked.error ? <Failed error={asked.error} retry={() => void asked.refetch()} /> : asked.data ? <Form of={asked.data} link={link} /> : <Loading />}
    </Outside>
  )
}

/** Nobody is signed in here, so that what is now is told with the link. */
function tomorrow(now: string, zone: string): Times {
  const day = wall(new Date(new Date(now).getTime() + 86_400_000), zone).slice(0, 10)
  return { start: `${day}T09:00`, end: `${day}T12:00`, zone, repeat: never }
}

function Form({ of, link }: { of: Registering; link: string }) {
  const t = useTexts()
  const queries = useQueryClient()
  const problem = useProblem()
  const [times, setTimes] = useState(() => tomorrow(of.now, here()))
  const [accounts, setAccounts] = useState<string[]>([])
  const [sort, setSort] = useState<string>('maintenance')
  const [said, setSaid] = useState('')
  const [wrong, setWrong] = useState('')
  const [busy, setBusy] = useState(false)
  const asked = told(times)
  const tell = async (e: FormEvent<HTMLFormElement>) => {
    e.preventDefault()
    const form = e.currentTarget
    const text = (name: string) => String(new FormData(form).get(name) ?? '').trim()
    if (!asked) return setWrong(t('endWrong'))
    setBusy(true)
    setWrong('')
    setSaid('')
    try {
      const title = text('title')
      const now = await send('post', '/api/register/{link}', { path: { link }, body: { title, ticket: text('ticket'), sort, accounts, ...asked } })
      queries.setQueryData(get('/api/register/{link}', { path: { link } }).queryKey, now)
      setSaid(t('registerDone', { title }))
      form.reset()
    } catch (e) {
      setWrong(problem(e))
    }
    setBusy(false)
  }
  return (
    <>
      <p>{t.rich('registerNote', { team: <LogText>{of.owner}</LogText> })}</p>
      <p className="dim">
        {t('registerFor')} <LogText wrap>{of.accounts.join(', ')}</LogText>
        <br />
        {t('registerLeft', { count: of.left, until: exact(of.until, t.language) })}
      </p>
      <form className={css.form} onSubmit={(e) => void tell(e)}>
        <TextInput name="title" label={t('fieldTitle')} required withAsterisk={false} maxLength={512} />
        <WhenFields value={times} onChange={setTimes} />
        <div className={css.two}>
          <MultiSelect size="xs" label={t('accounts')} value={accounts} onChange={setAccounts} data={of.accounts} placeholder={accounts.length ? '' : t('coversAll')} />
          <Select label={t('sort')} value={sort} onChange={(s) => s && setSort(s)} allowDeselect={false} data={sorts.map((s) => ({ value: s, label: t.word('sort', s) }))} />
          <TextInput name="ticket" label={t('ticket')} maxLength={256} />
        </div>
        {wrong && <p role="alert" className={css.warn}><LogText wrap>{wrong}</LogText></p>}
        {said && <p role="status"><LogText wrap>{said}</LogText></p>}
        <div className={css.row}>
          <Button type="submit" loading={busy} disabled={!asked || of.left <= 0}>{t('registerSend')}</Button>
        </div>
      </form>
      {of.windows.length > 0 && (
        <section>
          <h2>{t('registerBefore')}</h2>
          <ul className={css.list}>
            {of.windows.map((w) => (
              <li key={w.id} className={css.item}>
                <span><LogText wrap>{w.title}</LogText></span>
                <span className="dim"><When at={w.start} as="exact" /> UTC · {t.word('phase', w.phase)}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  )
}
