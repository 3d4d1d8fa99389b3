import { Button, MultiSelect, Select, TextInput } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useMemo, useState, type FormEvent } from 'react'
import { get, send } from '@/api/client'
import type { Role } from '@/api/contract'
import type { components } from '@/api/schema'
import { useSession } from '@/app/session'
import { toast } from '@/app/toast'
import { Command } from '@/parts/copy'
import { LogText } from '@/parts/log-text'
import { Page } from '@/parts/page'
import { Asked, Nothing, useProblem } from '@/parts/states'
import { column, Table } from '@/parts/table'
import { serverNow, useNow, When } from '@/parts/when'
import { Shows } from './shows'
import { useTexts } from './texts'
import { AccountsInput, RoleSelect } from './users'
import css from './page.module.css'

type Token = components['schemas']['Token']

/** What scripts show instead of a password. */
export function Tokens() {
  const t = useTexts()
  const queries = useQueryClient()
  const problem = useProblem()
  const asked = useQuery(get('/api/tokens'))
  const now = useNow()
  const [making, setMaking] = useState(false)
  const [secret, setSecret] = useState('')
  const all = asked.data?.tokens ?? []
  const over = (x: Token) => new Date(x.expires) <= now
  const good = all.filter((x) => !over(x)).length
  const changed = () => queries.invalidateQueries({ queryKey: ['/api/tokens'] })
  const revoke = async (x: Token) => {
    try {
      await send('delete', '/api/tokens/{id}', { path: { id: x.id } })
      toast({ text: t('revoked', { name: x.name }) }, 5)
    } catch (e) {
      toast({ text: problem(e), bad: true })
    }
    await changed()
  }
  const columns = useMemo(
    () => [
      column<Token>('name', t('token'), (x) => <LogText>{x.name}</LogText>, { grow: 3, by: (x) => x.name }),
      column<Token>('user', t('tokenOf'), (x) => <LogText most={20}>{x.user}</LogText>, { grow: 1, by: (x) => x.user }),
      column<Token>('role', t('role'), (x) => t.word('role', x.role), { width: 100, above: 560 }),
      column<Token>('scopes', t('scopes'), (x) => (x.scopes.length ? x.scopes.join(', ') : t('scopesAll')), { grow: 2, above: 760 }),
      column<Token>('accounts', t('accounts'), (x) => (x.accounts.length ? <LogText most={30}>{x.accounts.join(', ')}</LogText> : t('accountsAll')), { grow: 2, above: 960 }),
      column<Token>('used', t('used'), (x) => <When at={x.used} />, { width: 110, right: true, above: 640, by: (x) => x.used ?? '' }),
      column<Token>('expires', t('expires'), (x) => (over(x) ? t('expired') : <When at={x.expires} />), { width: 110, right: true, by: (x) => x.expires }),
      column<Token>('revoke', '', (x) => <Button variant="default" size="compact-xs" onClick={() => void revoke(x)}>{t('revoke')}</Button>, { width: 110, right: true }),
    ],
    [t, now], // eslint-disable-line
  )
  return (
    <Page
      title={t('title')} answer={asked.data ? (good ? t('tokensAnswer', { count: good }) : t('tokensNone')) : t('title')} more={t('tokensNote')}
      actions={<Button aria-expanded={making} onClick={() => { setMaking(!making); setSecret('') }}>{t('addToken')}</Button>}
    >
      <Shows />
      {secret && (
        <div className={css.note} role="status">
          <p>{t('tokenMade')}</p>
          <Command>{secret}</Command>
        </div>
      )}
      {making && <Make scopes={asked.data?.scopes ?? []} done={(s) => { setMaking(false); setSecret(s); void changed() }} />}
      <Asked of={asked}>
        {() => (
          <Table
            label={t('show.tokens')} rows={all} columns={columns} rowKey={(x) => x.id} height={480} empty={<Nothing title={t('tokensNone')}>{t('tokensNote')}</Nothing>} cardHeight={84}
            card={(x) => (
              <>
                <LogText>{x.name}</LogText>
                <div className={css.facts}>
                  <LogText most={20}>{x.user}</LogText> <span>{t.word('role', x.role)}</span> <span>{over(x) ? t('expired') : <When at={x.expires} />}</span>
                </div>
                <Button variant="default" size="compact-xs" onClick={() => void revoke(x)}>{t('revoke')}</Button>
              </>
            )}
          />
        )}
      </Asked>
    </Page>
  )
}

function Make({ scopes, done }: { scopes: string[]; done: (secret: string) => void }) {
  const t = useTexts()
  const problem = useProblem()
  const mine = useSession()?.role ?? 'viewer'
  const [role, setRole] = useState<Role>('viewer')
  const [days, setDays] = useState('90')
  const [some, setSome] = useState<string[]>([])
  const [accounts, setAccounts] = useState<string[]>([])
  const [wrong, setWrong] = useState('')
  const make = async (e: FormEvent<HTMLFormElement>) => {
    e.preventDefault()
    setWrong('')
    try {
      const name = String(new FormData(e.currentTarget).get('name')).trim()
      const expires = new Date(serverNow().getTime() + Number(days) * 86_400_000).toISOString()
      done((await send('post', '/api/tokens', { body: { name, role, expires, scopes: some, accounts } })).secret)
    } catch (e) {
      setWrong(problem(e))
    }
  }
  return (
    <form className={css.note} aria-label={t('addToken')} onSubmit={(e) => void make(e)}>
      <div className={css.two}>
        <TextInput name="name" label={t('token')} required withAsterisk={false} maxLength={64} />
        <RoleSelect value={role} onChange={setRole} most={mine} />
        <Select label={t('expires')} value={days} onChange={(d) => d && setDays(d)} allowDeselect={false} data={[7, 30, 90, 365].map((n) => ({ value: String(n), label: t('days', { count: n }) }))} />
        <MultiSelect size="xs" label={t('scopes')} value={some} onChange={setSome} data={scopes} placeholder={some.length ? '' : t('scopesAll')} />
        <AccountsInput value={accounts} onChange={setAccounts} />
      </div>
      {wrong && <p role="alert" className={css.warn}>{wrong}</p>}
      <div className={css.row}>
        <Button type="submit">{t('make')}</Button>
      </div>
    </form>
  )
}
