import { ActionIcon, Tooltip } from '@mantine/core'
import { useState } from 'react'
import type { Event } from '@/api/contract'
import { has, term, toggled } from '@/app/filter'
import { Icon } from '@/parts/icon'
import { address, To } from '@/parts/links'
import { copyText, LogText } from '@/parts/log-text'
import { When } from '@/parts/when'
import { useTexts } from './texts'
import { Tree } from './tree'
import { Who } from './who'
import css from './record.module.css'

const tabs = ['fields', 'json', 'who'] as const

const shown = [
  'api_operation', 'api_service', 'outcome', 'status_code', 'status_detail', 'actor_uid', 'actor_name', 'actor_session', 'actor_type', 'actor_account_uid', 'actor_credential_uid', 'actor_invoked_by',
  'caller', 'caller_evidence', 'src_ip', 'src_host', 'src_vpce', 'user_agent', 'resource_uid', 'resource_type', 'account_uid', 'region', 'device_name', 'process', 'url',
  'category', 'format', 'api_request_uid', 'shared_uid', 'event_uid', 'uid', 'object', 'position',
] as const

interface Props {
  of: Event
  q: string
  onFilter: (q: string) => void
  onClose: () => void
}

/** Whether there is a page about the use of it. */
export function isSecret(resource: string): boolean {
  return /^arn:[^:]*:(secretsmanager|kms|acm):/.test(resource) || /^arn:[^:]*:ssm:[^:]*:[^:]*:parameter/.test(resource)
}

/** One record beside the list: its columns, the JSON it came as, and who it is. */
export function RecordPanel({ of: e, q, onFilter, onClose }: Props) {
  const t = useTexts()
  const [tab, setTab] = useState<(typeof tabs)[number]>('fields')
  const [copied, setCopied] = useState<string>()
  const others = (e.resource_uids ?? []).filter((r) => r !== e.resource_uid)
  return (
    <aside className={css.panel} aria-label={t('record')}>
      <header className={css.head}>
        <div>
          <b><LogText>{e.api_operation || e.format}</LogText></b>
          <span className="dim"><When at={e.time} as="exact" /> UTC</span>
        </div>
        <ActionIcon aria-label={t('recordClose')} onClick={onClose}><Icon name="close" size={12} /></ActionIcon>
      </header>
      <div className={css.tabs} role="tablist">
        {tabs.map((x) => (
          <button key={x} type="button" role="tab" aria-selected={x === tab} onClick={() => setTab(x)}>{t(`recordTab.${x}`)}</button>
        ))}
      </div>
      <div className={css.body} role="tabpanel">
        {tab === 'fields' && (
          <>
            {e.message && <p className={css.message}><LogText wrap>{e.message}</LogText></p>}
            <dl className={css.fields}>
              {shown.map((name) => {
                const value = e[name]
                return value === undefined || value === '' ? null : <Row key={name} name={name} value={String(value)} q={q} onFilter={onFilter} />
              })}
              {others.map((r) => <Row key={r} name="resources" value={r} q={q} onFilter={onFilter} />)}
            </dl>
            {e.resource_uid && isSecret(e.resource_uid) && <p><To href={address('/secrets/one', { resource: e.resource_uid })}>{t('secretPage')}</To></p>}
          </>
        )}
        {tab === 'json' && (
          <>
            <button type="button" className={css.copy} onClick={() => void copyText(JSON.stringify(e.raw, null, 2)).then((ok) => setCopied(ok ? e.uid : undefined))}>
              {copied === e.uid ? t('copied') : t('copyRecord')}
            </button>
            <Tree key={e.uid} of={e.raw} onTerm={(x) => onFilter(q ? `${/\sor\s/i.test(q) ? `(${q})` : q} ${x}` : x)} />
          </>
        )}
        {tab === 'who' && <Who of={e} />}
      </div>
    </aside>
  )
}

function Row({ name, value, q, onFilter }: { name: string; value: string; q: string; onFilter: (q: string) => void }) {
  const t = useTexts()
  return (
    <div>
      <dt><code>{name}</code></dt>
      <dd><LogText wrap mono copy>{value}</LogText></dd>
      <span className={css.choose}>
        {([false, true] as const).map((not) => (
          <Tooltip key={String(not)} label={<bdi>{term(name, value, not).slice(0, 300)}</bdi>}>
            <button
              type="button" aria-pressed={has(q, name, value, not)} aria-label={t(not ? 'exclude' : 'include', { field: name, value: value.slice(0, 80) })}
              onClick={() => onFilter(toggled(q, name, value, not))}
            >
              {not ? '−' : '+'}
            </button>
          </Tooltip>
        ))}
      </span>
    </div>
  )
}
