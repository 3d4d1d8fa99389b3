import { Button, Textarea, Tooltip } from '@mantine/core'
import { useState } from 'react'
import type { DecisionBody, Finding } from '@/api/contract'
import { term } from '@/app/filter'
import { percent } from '@/app/format'
import { reasons, useTriage, type Choice } from '@/app/triage'
import { useTriageTexts } from '@/app/triage.texts'
import { DecideButtons } from '@/parts/decide'
import { address, To } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { useTexts } from './texts'
import css from './verdict.module.css'

/** Where it stands, and deciding about it: below the sentence, in one line. */
export function Verdict({ of: f, choose }: { of: Finding; choose: (c: Choice) => void }) {
  const t = useTexts()
  const words = useTriageTexts()
  const { decide, may } = useTriage()
  const [comment, setComment] = useState('')
  const codes = f.verdict ? (reasons[f.verdict] ?? []) : []
  // What a draft of an exception starts from: the trouble, and not its time.
  const scope = [term('kind', f.kind), f.actor && term('actor', f.actor), f.resource && term('resource', f.resource), f.rule && term('rule', f.rule)].filter(Boolean).join(' ')
  const say = () => {
    void decide([f], { comment: comment.trim() }, t('commentSaved'))
    setComment('')
  }
  return (
    <div className={css.verdict}>
      <div className={css.line}>
        <span className={css.standing} data-status={f.status}>
          {f.verdict ? words.word('verdict', f.verdict) : words.word('status', f.status)}
          {f.assignee && (
            <span className="dim">
              {' · '}
              <LogText>{f.assignee}</LogText>
            </span>
          )}
        </span>
        <DecideButtons of={f} choose={choose} />
        <Tooltip label={t('exceptDoes')}>
          <span>
            <To href={address('/exceptions', { new: 'exception', scope, from: f.key })}>{t('except')}</To>
          </span>
        </Tooltip>
      </div>
      {codes.length > 0 && may && (
        <div className={css.codes} role="group" aria-label={t('reason')}>
          <span className="dim">{t('reason')}</span>
          {codes.map((code) => (
            <button
              key={code} type="button" aria-pressed={f.verdict_reason === code}
              onClick={() => void decide([f], { verdict: f.verdict as DecisionBody['verdict'], reason: code }, words.word('reason', code))}
            >
              {words.word('reason', code)}
            </button>
          ))}
        </div>
      )}
      {f.explained_by.length > 0 && (
        <p>
          <span className="dim">{t('explainedBy')}</span>{' '}
          {f.explained_by.map((e, i) => (
            <span key={i}>
              {i > 0 && ' · '}
              {t.word('by', e.kind)}: <LogText wrap>{e.text}</LogText>
            </span>
          ))}
        </p>
      )}
      {f.proposed_cause?.text && (
        <p className={css.cause}>
          {t.rich('causeSays', { cause: <b>{words.word('cause', f.proposed_cause.cause)}</b>, percent: percent(f.proposed_cause.confidence, t.language) })}{' '}
          <LogText wrap>{f.proposed_cause.text}</LogText>{' '}
          {may && f.cause !== f.proposed_cause.cause && (
            <Button
              variant="default" size="compact-xs"
              onClick={() => void decide([f], { cause: f.proposed_cause?.cause }, t('causeTaken', { cause: words.word('cause', f.proposed_cause?.cause ?? '') }))}
            >
              {t('causeTake')}
            </Button>
          )}
        </p>
      )}
      {f.cause && f.cause !== 'unknown' && (
        <p>
          {t('causeTaken', { cause: words.word('cause', f.cause) })}
        </p>
      )}
      {f.demoted && <p className="dim">{t('demoted')}</p>}
      {may && (
        <form
          className={css.comment}
          onSubmit={(e) => {
            e.preventDefault()
            if (comment.trim()) say()
          }}
        >
          <Textarea
            data-comment aria-label={t('comment')} placeholder={t('comment')} value={comment} autosize minRows={1} maxRows={8} maxLength={4000}
            onChange={(e) => setComment(e.currentTarget.value)}
            onKeyDown={(e) => {
              if (e.key === 'Escape') e.currentTarget.blur()
              if (e.key === 'Enter' && (e.metaKey || e.ctrlKey) && comment.trim()) say()
            }}
          />
          {comment.trim() && (
            <Button type="submit" variant="default">
              {t('commentAdd')}
            </Button>
          )}
        </form>
      )}
    </div>
  )
}
