import type { Finding } from '@/api/contract'
import { Priority } from '@/parts/priority'
import { sentenceOf } from '@/parts/finding'
import { LogText } from '@/parts/log-text'
import { Section } from '@/parts/page'
import { useParts } from '@/parts/texts'
import { number } from '@/app/format'
import { useTexts } from './texts'
import css from './page.module.css'

/** Why it is one, as sentences with what was seen beside what is usual; and what its priority is made of. */
export function Reasons({ of: f }: { of: Finding }) {
  const t = useTexts()
  const parts = useParts()
  const told = sentenceOf(f)
  const [, ...rest] = f.reasons[0]?.text === told ? f.reasons : [undefined, ...f.reasons]
  return (
    <Section title={t('reasons')}>
      {rest.length > 0 && (
        <ol className={css.reasons}>
          {rest.map((r, i) =>
            r ? (
              <li key={i}>
                <LogText wrap>{r.text}</LogText>
                {r.observed && r.expected && !r.text.includes(r.observed) && (
                  <div className="dim">
                    {t('observed')} <LogText wrap mono>{r.observed}</LogText> · {t('expected')} <LogText wrap mono>{r.expected}</LogText>
                  </div>
                )}
              </li>
            ) : null,
          )}
        </ol>
      )}
      <div className={css.parts}>
        <Priority value={f.priority} parts={f.priority_parts} />
        {f.priority_parts.map((p) => (
          <span key={p.name}>
            <span className="dim">{parts.word('part', p.name)}</span> × {number(p.value, t.language)} <span className="faint"><LogText wrap>{p.why}</LogText></span>
          </span>
        ))}
      </div>
    </Section>
  )
}
