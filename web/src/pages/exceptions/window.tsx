import { Button, Select, TagsInput, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { get, send, versionOf } from '@/api/client'
import { useMay, useSession } from '@/app/session'
import { useTriageTexts } from '@/app/triage.texts'
import { address, To } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { Page } from '@/parts/page'
import { serverNow } from '@/parts/when'
import { Asked } from '@/parts/states'
import { useKeep } from './keep'
import { never } from './repeat'
import { ScopeField } from './scope'
import { Summary } from './summary'
import { useTexts } from './texts'
import type { Window } from './types'
import { timesOf, told, WhenFields } from './when'
import { here, wall } from './zone'
import css from './page.module.css'

const list = address('/exceptions', { show: 'windows' })
export const sorts = ['maintenance', 'deploy', 'on_call', 'travel', 'test'] as const
const lists = ['accounts', 'people', 'actors', 'resources', 'regions', 'kinds'] as const
type Lists = Record<(typeof lists)[number], string[]>

/** One window: a new one, or one there is with what fell into it. */
export function WindowDraft({ id, from }: { id?: string; from: string }) {
  const t = useTexts()
  const kept = useQuery({ ...get('/api/windows/{id}', { path: { id: id ?? '' } }), enabled: !!id })
  const title = id ? t('windowChange', { title: kept.data?.title ?? '' }) : t('newWindow')
  return (
    <Page title={title} answer={id ? <LogText wrap>{title}</LogText> : title} actions={<To href={list}>{t('back')}</To>} more={kept.data?.file && t('fromFileNote')}>
      {id ? (
        <Asked of={kept}>
          {(w) => (
            <div className={css.draft}>
              <Form key={w.id} of={w} from="" />
              <Summary of={w} />
            </div>
          )}
        </Asked>
      ) : (
        <Form from={from} />
      )}
    </Page>
  )
}

/** In an hour, for an hour. */
function soon(zone: string) {
  const at = (h: number) => `${wall(new Date(serverNow().getTime() + h * 3_600_000), zone).slice(0, 13)}:00`
  return { start: at(1), end: at(2), zone, repeat: never }
}

function Form({ of: w, from }: { of?: Window; from: string }) {
  const t = useTexts()
  const words = useTriageTexts()
  const { busy, wrong, setWrong, keep } = useKeep('windows')
  const [seen] = useState(() => (w ? versionOf('/api/windows/{id}', { path: { id: w.id } }) : {}))
  const me = useSession()?.user ?? ''
  const responder = useMay('responder')
  const analyst = useMay('analyst')
  const facets = useQuery(get('/api/findings/facets', { query: { q: '' } }))
  const [times, setTimes] = useState(() => (w ? timesOf(w) : soon(here())))
  const [of, setOf] = useState<Lists>(() => Object.fromEntries(lists.map((l) => [l, w?.[l] ?? []])) as Lists)
  const [scope, setScope] = useState(w?.scope ?? '')
  const [sort, setSort] = useState<string>(w?.sort || 'maintenance')
  const readOnly = w ? w.file || !(responder || (analyst && w.state === 'proposed' && w.by === me)) : !analyst
  const asked = told(times)
  const nothing = !scope.trim() && lists.every((l) => of[l].length === 0)
  const field = { accounts: 'account', people: 'person', actors: 'actor', resources: 'resource', regions: 'region', kinds: 'kind' } as const
  const known = (l: keyof Lists) => facets.data?.facets.find((f) => f.field === field[l])?.values.map((v) => v.value) ?? []

  const submit = (e: FormEvent<HTMLFormElement>) => {
    e.preventDefault()
    if (!asked) return setWrong(t('endWrong'))
    const form = new FormData(e.currentTarget)
    const text = (name: string) => String(form.get(name) ?? '').trim()
    const body = { title: text('title'), owner: text('owner'), ticket: text('ticket'), sort, scope: scope.trim(), ...of, ...asked }
    void keep(
      () =>
        w
          ? send('patch', '/api/windows/{id}', { path: { id: w.id }, body: { ...body, ...(responder ? { state: 'active' as const } : {}) } }, seen)
          : send('post', '/api/windows', { body: { ...body, evidence: from ? [from] : [], state: responder ? 'active' : 'proposed' } }, { 'Idempotency-Key': crypto.randomUUID() }),
      (made) => t(made.state === 'proposed' ? 'savedWindowProposed' : 'savedWindow', { title: made.title }),
    )
  }
  const cancel = (w: Window) => void keep(() => send('delete', '/api/windows/{id}', { path: { id: w.id } }, seen), () => t('cancelled', { title: w.title }))

  return (
    <form className={css.form} onSubmit={submit}>
      <TextInput name="title" label={t('fieldTitle')} defaultValue={w?.title} required withAsterisk={false} maxLength={512} readOnly={readOnly} />
      <WhenFields value={times} onChange={setTimes} readOnly={readOnly} />
      <div className={css.two}>
        <Select label={t('sort')} value={sort} disabled={readOnly} allowDeselect={false} onChange={(s) => s && setSort(s)} data={[...new Set([...sorts, sort])].map((s) => ({ value: s, label: t.word('sort', s) }))} />
        <TextInput name="ticket" label={t('ticket')} defaultValue={w?.ticket} maxLength={256} readOnly={readOnly} />
        <TextInput name="owner" label={t('fieldOwner')} defaultValue={w?.owner ?? me} maxLength={128} readOnly={readOnly} />
      </div>
      <p className="dim">{t('listsHelp')}</p>
      <div className={css.two}>
        {lists.map((l) => (
          <TagsInput
            key={l} size="xs" label={t(l)} value={of[l]} onChange={(v) => setOf({ ...of, [l]: v })} splitChars={[',', ' ', '\n']} acceptValueOnBlur readOnly={readOnly}
            data={l === 'kinds' ? known(l).map((k) => ({ value: k, label: words.word('kind', k) })) : known(l)} maxDropdownHeight={200} limit={50}
          />
        ))}
      </div>
      <ScopeField label={t('scopeMore')} value={scope} onChange={setScope} readOnly={readOnly} />
      {nothing && !readOnly && <p className="dim">{t('everything')}</p>}
      {wrong && <p role="alert" className={css.warn}>{wrong}</p>}
      {!readOnly && (
        <div className={css.row}>
          <Button type="submit" loading={busy} disabled={!asked || nothing}>{responder ? (w?.state === 'active' ? t('save') : t('saveWindow')) : t('propose')}</Button>
          {w && w.state !== 'cancelled' && (
            <Button variant="default" title={t('cancelDoes')} onClick={() => cancel(w)} disabled={busy}>
              {t('cancelWindow')}
            </Button>
          )}
          {!responder && <span className="dim">{t('proposeNote')}</span>}
        </div>
      )}
    </form>
  )
}
