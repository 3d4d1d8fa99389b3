/** One event, as rows and as the record that it was. */
import type { Event } from '@/api/contract'
import { useEventTexts } from './event.texts'
import { Field, Fields } from './field'
import { LogText, pieces } from './log-text'
import { When } from './when'
import css from './event.module.css'

const shown = [
  'api_service', 'api_operation', 'outcome', 'status_code', 'status_detail', 'actor_uid', 'actor_session', 'actor_type', 'actor_credential_uid', 'actor_invoked_by',
  'caller', 'caller_evidence', 'src_ip', 'src_host', 'src_vpce', 'user_agent', 'resource_uid', 'account_uid', 'region', 'device_name', 'process', 'url', 'uid', 'object',
] as const

/** Everything known of an event, and below it the record as it came. */
export function Record({ of }: { of: Event }) {
  const t = useEventTexts()
  return (
    <div className={css.record}>
      {of.message && <p><LogText wrap>{of.message}</LogText></p>}
      <Fields>
        <Field name={t('time')}>
          <When at={of.time} as="exact" />
        </Field>
        {shown.map((name) => {
          const value = of[name]
          return value === undefined || value === '' ? null : (
            <Field key={name} name={<code>{name}</code>}>
              <LogText wrap mono copy>{String(value)}</LogText>
            </Field>
          )
        })}
      </Fields>
      <Json of={of.raw} />
    </div>
  )
}

/** A record as indented JSON: text only, so that nothing in it can be anything else. */
export function Json({ of }: { of: unknown }) {
  const text = typeof of === 'string' ? of : JSON.stringify(of, null, 2)
  if (!text) return null
  return (
    <pre className={css.json} tabIndex={0}>
      <bdi dir="ltr">{pieces(text.length > 200_000 ? `${text.slice(0, 200_000)}…` : text, true).map((p) => (p.control ? `⟨${p.text}⟩` : p.text)).join('')}</bdi>
    </pre>
  )
}

export function Outcome({ of }: { of: string }) {
  const t = useEventTexts()
  if (!of) return <span className="dim">–</span>
  return (
    <span className={css.outcome} data-outcome={of}>
      {t.word('outcome', of)}
    </span>
  )
}
