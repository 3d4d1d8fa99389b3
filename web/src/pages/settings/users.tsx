import { Button, PasswordInput, Select, TagsInput, TextInput } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useMemo, useState, type FormEvent } from 'react'
import { get, send } from '@/api/client'
import type { Role } from '@/api/contract'
import type { components } from '@/api/schema'
import { exact } from '@/app/format'
import { toast } from '@/app/toast'
import { Command } from '@/parts/copy'
import { LogText } from '@/parts/log-text'
import { Page, Section } from '@/parts/page'
import { Asked, useProblem } from '@/parts/states'
import { column, Table } from '@/parts/table'
import { When } from '@/parts/when'
import { Shows } from './shows'
import { useTexts } from './texts'
import css from './page.module.css'

type User = components['schemas']['User']
export const roles: Role[] = ['viewer', 'analyst', 'responder', 'admin']
interface Link {
  name: string
  link: string
  until: string
}

/** Who may come in, as what, and to see which accounts. */
export function Users() {
  const t = useTexts()
  const asked = useQuery(get('/api/users'))
  const methods = useQuery(get('/api/signin'))
  const [chosen, setChosen] = useState('') // a name, or + for somebody new
  const [link, setLink] = useState<Link>()
  const all = asked.data?.users ?? []
  const let_in = all.filter((u) => !u.disabled)
  const columns = useMemo(
    () => [
      column<User>('name', t('user'), (u) => <button type="button" className={css.plain} onClick={() => setChosen(u.name)}><LogText>{u.name}</LogText></button>, { grow: 2, by: (u) => u.name }),
      column<User>('full', t('fullName'), (u) => <LogText>{u.full_name}</LogText>, { grow: 2, above: 760, by: (u) => u.full_name }),
      column<User>('role', t('role'), (u) => (u.disabled ? t('disabled') : t.word('role', u.role)), { width: 110, by: (u) => roles.indexOf(u.role) }),
      column<User>('accounts', t('accounts'), (u) => (u.accounts.length ? <LogText most={44}>{u.accounts.join(', ')}</LogText> : t('accountsAll')), { grow: 2 }),
      column<User>('method', t('method'), (u) => <LogText most={24}>{t.word('method', u.method)}</LogText>, { width: 150, above: 860, by: (u) => u.method }),
      column<User>('seen', t('seen'), (u) => <When at={u.seen} />, { width: 110, right: true, by: (u) => u.seen ?? '' }),
    ],
    [t],
  )
  return (
    <Page
      title={t('title')} answer={asked.data ? t('usersAnswer', { count: let_in.length }) : t('title')} more={asked.data && t('usersNote', { count: let_in.filter((u) => u.role === 'admin').length })}
      actions={<Button onClick={() => { setChosen(chosen === '+' ? '' : '+'); setLink(undefined) }} aria-expanded={chosen === '+'}>{t('addUser')}</Button>}
    >
      <Shows />
      {link && (
        <div className={css.note} role="status">
          <p>{t('linkFor', { name: link.name, until: exact(link.until, t.language) })}</p>
          <Command>{link.link}</Command>
        </div>
      )}
      {chosen === '+' && <Add done={(l) => { setChosen(''); setLink(l) }} />}
      {all.filter((u) => u.name === chosen).map((u) => (
        <Change key={u.name} of={u} done={(l) => { setChosen(''); setLink(l) }} />
      ))}
      <Asked of={asked}>
        {() => (
          <Table
            label={t('show.users')} rows={all} columns={columns} rowKey={(u) => u.name} height={480} onOpen={(u) => { setChosen(u.name); setLink(undefined) }} rowClass={(u) => (u.disabled ? css.off : undefined)} cardHeight={60}
            card={(u) => (
              <>
                <button type="button" className={css.plain} onClick={() => setChosen(u.name)}><LogText>{u.name}</LogText></button>
                <div className={css.facts}>
                  <span>{u.disabled ? t('disabled') : t.word('role', u.role)}</span> <LogText most={30}>{u.accounts.join(', ') || t('accountsAll')}</LogText> <When at={u.seen} />
                </div>
              </>
            )}
          />
        )}
      </Asked>
      <Section title={t('providers')}>
        <Asked of={methods} lines={1}>
          {({ methods: m }) =>
            m.oidc.length === 0 ? (
              <p className="dim">{t('providersNone')}</p>
            ) : (
              <>
                <ul>
                  {m.oidc.map((p) => (
                    <li key={p.id}>
                      <LogText>{p.name}</LogText> <span className="dim mono">{p.id}</span>
                    </li>
                  ))}
                </ul>
                <p className="dim">{t(m.password ? 'providersPassword' : 'providersNoPassword')}</p>
              </>
            )
          }
        </Asked>
      </Section>
    </Page>
  )
}

export function RoleSelect({ value, onChange, most, disabled }: { value: Role; onChange: (r: Role) => void; most?: Role; disabled?: boolean }) {
  const t = useTexts()
  return (
    <Select
      label={t('role')} value={value} disabled={disabled} allowDeselect={false} onChange={(r) => r && onChange(r as Role)} description={t.word('roleDoes', value)} inputWrapperOrder={['label', 'input', 'description']}
      data={roles.slice(0, most ? roles.indexOf(most) + 1 : undefined).map((r) => ({ value: r, label: t.word('role', r) }))}
    />
  )
}

export function AccountsInput({ value, onChange, disabled }: { value: string[]; onChange: (a: string[]) => void; disabled?: boolean }) {
  const t = useTexts()
  return (
    <TagsInput
      size="xs" label={t('accounts')} value={value} onChange={onChange} disabled={disabled} splitChars={[',', ' ', '\n']} acceptValueOnBlur description={t('accountsHelp')}
      inputWrapperOrder={['label', 'input', 'description']} placeholder={value.length ? '' : t('accountsAll')}
    />
  )
}

function useChanged() {
  const queries = useQueryClient()
  return () => Promise.all(['/api/users', '/api/audit', '/api/session'].map((p) => queries.invalidateQueries({ queryKey: [p] })))
}

function Add({ done }: { done: (link?: Link) => void }) {
  const t = useTexts()
  const problem = useProblem()
  const changed = useChanged()
  const [role, setRole] = useState<Role>('viewer')
  const [accounts, setAccounts] = useState<string[]>([])
  const [wrong, setWrong] = useState('')
  const add = async (e: FormEvent<HTMLFormElement>) => {
    e.preventDefault()
    const form = new FormData(e.currentTarget)
    const name = String(form.get('name')).trim()
    const password = String(form.get('password'))
    setWrong('')
    try {
      const made = await send('post', '/api/users', { body: { name, full_name: String(form.get('full')).trim(), role, accounts, ...(password ? { password } : {}) } })
      toast({ text: t('added', { name }) }, 5)
      await changed()
      done(made.link ? { name, link: made.link, until: made.expires ?? '' } : undefined)
    } catch (e) {
      setWrong(problem(e))
    }
  }
  return (
    <form className={css.note} aria-label={t('addUser')} onSubmit={(e) => void add(e)}>
      <div className={css.two}>
        <TextInput name="name" label={t('user')} required withAsterisk={false} autoCapitalize="none" spellCheck={false} autoComplete="off" maxLength={128} data-autofocus />
        <TextInput name="full" label={t('fullName')} autoComplete="off" maxLength={128} />
        <RoleSelect value={role} onChange={setRole} />
        <AccountsInput value={accounts} onChange={setAccounts} />
        <PasswordInput size="xs" name="password" label={t('addPassword')} autoComplete="new-password" description={t('addNote')} inputWrapperOrder={['label', 'input', 'description']} />
      </div>
      {wrong && <p role="alert" className={css.warn}>{wrong}</p>}
      <div className={css.row}>
        <Button type="submit">{t('add')}</Button>
      </div>
    </form>
  )
}

function Change({ of: u, done }: { of: User; done: (link?: Link) => void }) {
  const t = useTexts()
  const problem = useProblem()
  const changed = useChanged()
  const [role, setRole] = useState<Role>(u.role)
  const [accounts, setAccounts] = useState(u.accounts)
  const [full, setFull] = useState(u.full_name)
  const [sure, setSure] = useState(false)
  const [wrong, setWrong] = useState('')
  const provider = u.method.startsWith('oidc:') ? u.method.slice(5) : ''
  const run = async (what: () => Promise<Link | undefined>, said: string) => {
    setWrong('')
    try {
      const link = await what()
      toast({ text: said }, 5)
      await changed()
      done(link)
    } catch (e) {
      setWrong(problem(e))
    }
  }
  const patch = (body: components['schemas']['Change-userRequest']) => run(async () => void (await send('patch', '/api/users/{name}', { path: { name: u.name }, body })), t('saved', { name: u.name }))
  return (
    <form
      className={css.note} aria-label={t('change', { name: u.name })}
      onSubmit={(e) => {
        e.preventDefault()
        void patch(provider ? { full_name: full.trim() } : { full_name: full.trim(), role, accounts })
      }}
    >
      <h2>{t.rich('change', { name: <LogText>{u.name}</LogText> })}</h2>
      {provider && <p className="dim">{t('byProvider', { name: u.name, provider })}</p>}
      <div className={css.two}>
        <TextInput label={t('fullName')} value={full} onChange={(e) => setFull(e.currentTarget.value)} maxLength={128} />
        <RoleSelect value={role} onChange={setRole} disabled={!!provider} />
        <AccountsInput value={accounts} onChange={setAccounts} disabled={!!provider} />
      </div>
      {wrong && <p role="alert" className={css.warn}>{wrong}</p>}
      <div className={css.row}>
        <Button type="submit">{t('save')}</Button>
        <Button variant="default" onClick={() => void patch({ disabled: !u.disabled })}>{t(u.disabled ? 'enable' : 'disable')}</Button>
        <Button variant="default" onClick={() => void patch({ sign_out: true })}>{t('signOutAll')}</Button>
        {!provider && (
          <Button
            variant="default"
            onClick={() => void run(async () => {
              const l = await send('post', '/api/users/{name}/link', { path: { name: u.name } })
              return { name: u.name, link: l.link, until: l.expires }
            }, t('newLink'))}
          >
            {t('newLink')}
          </Button>
        )}
        {sure ? (
          <Button color="red" onClick={() => void run(async () => void (await send('delete', '/api/users/{name}', { path: { name: u.name } })), t('removed', { name: u.name }))}>{t('removeSure', { name: u.name })}</Button>
        ) : (
          <Button variant="default" onClick={() => setSure(true)}>{t('remove')}</Button>
        )}
        <Button variant="subtle" onClick={() => done()}>{t('back')}</Button>
      </div>
    </form>
  )
}
