import { Button, Select, TagsInput, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { get, send, type Answer } from '@/api/client'
import { exact } from '@/app/format'
import { Command } from '@/parts/copy'
import { serverNow } from '@/parts/when'
import { useProblem } from '@/parts/states'
import { useTexts } from './texts'
import css from './page.module.css'

/** A link by which a team tells of its own work, for its accounts. */
export function TeamLink() {
  const t = useTexts()
  const problem = useProblem()
  const facets = useQuery(get('/api/findings/facets', { query: { q: '' } }))
  const [accounts, setAccounts] = useState<string[]>([])
  const [days, setDays] = useState('90')
  const [made, setMade] = useState<Answer<'/api/window-links', 'post'> & { team: string }>()
  const [wrong, setWrong] = useState('')
  const make = async (e: FormEvent<HTMLFormElement>) => {
    e.preventDefault()
    const team = String(new FormData(e.currentTarget).get('team')).trim()
    setWrong('')
    try {
      const until = new Date(serverNow().getTime() + Number(days) * 86_400_000).toISOString()
      setMade({ ...(await send('post', '/api/window-links', { body: { owner: team, accounts, until } })), team })
    } catch (e) {
      setWrong(problem(e))
    }
  }
  return (
    <form className={css.note} aria-label={t('link')} onSubmit={(e) => void make(e)}>
      <p className="dim">{t('linkNote')}</p>
      <div className={css.two}>
        <TextInput name="team" label={t('team')} required withAsterisk={false} maxLength={128} />
        <TagsInput size="xs" label={t('accounts')} value={accounts} onChange={setAccounts} splitChars={[',', ' ', '\n']} acceptValueOnBlur data={facets.data?.facets.find((f) => f.field === 'account')?.values.map((v) => v.value) ?? []} />
        <Select label={t('linkUntil')} value={days} onChange={(d) => d && setDays(d)} allowDeselect={false} data={[7, 30, 90, 365].map((n) => ({ value: String(n), label: t('untilDays', { count: n }) }))} />
      </div>
      {wrong && <p role="alert" className={css.warn}>{wrong}</p>}
      {made && (
        <div role="status">
          <p>{t('linkMade', { team: made.team, until: exact(made.until, t.language) })}</p>
          <Command>{made.url}</Command>
        </div>
      )}
      <div className={css.row}>
        <Button type="submit" variant={made ? 'default' : 'filled'} disabled={accounts.length === 0}>{t('linkMake')}</Button>
      </div>
    </form>
  )
}
