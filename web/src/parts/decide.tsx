import { Tooltip } from '@mantine/core'
import type { Finding } from '@/api/contract'
import { useTriage, type Choice } from '@/app/triage'
import { useTriageTexts } from '@/app/triage.texts'
import css from './decide.module.css'

const choices: { choice: Choice; text: 'expected' | 'falsePositive' | 'truePositive' | 'mine' | 'reopen'; key?: string; does: Choice }[] = [
  { choice: 'expected', text: 'expected', key: 'e', does: 'expected' },
  { choice: 'false_positive', text: 'falsePositive', key: 'f', does: 'false_positive' },
  { choice: 'mine', text: 'mine', key: 'a', does: 'mine' },
]

/** Decide where you stand: one click, and what it will change said before. */
export function DecideButtons({ of, choose, small }: { of?: Pick<Finding, 'status' | 'verdict'>; choose: (c: Choice) => void; small?: boolean }) {
  const t = useTriageTexts()
  const { may, refusal } = useTriage()
  const closed = of && of.status !== 'new' && of.status !== 'in_progress'
  const shown = small ? choices : [...choices, { choice: 'true_positive', text: 'truePositive', does: 'true_positive' } as const]
  return (
    <span className={small ? `${css.buttons} ${css.small}` : css.buttons}>
      {shown.map((c) => (
        <Tooltip key={c.choice} label={refusal ?? t(`does.${c.does}`)}>
          <button
            type="button" aria-disabled={!may || undefined} aria-pressed={of && c.choice === of.verdict ? true : undefined}
            onClick={() => may && choose(c.choice)}
          >
            {t(c.text)} {'key' in c && c.key && <kbd>{c.key}</kbd>}
          </button>
        </Tooltip>
      ))}
      {closed && (
        <Tooltip label={refusal ?? t('does.reopen')}>
          <button type="button" aria-disabled={!may || undefined} onClick={() => may && choose('reopen')}>
            {t('reopen')}
          </button>
        </Tooltip>
      )}
    </span>
  )
}
