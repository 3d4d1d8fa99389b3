import { Tooltip } from '@mantine/core'
import { useEffect, useState } from 'react'
import { useParts } from './texts'
import css from './log-text.module.css'

/** Characters that change how a line is read without being seen themselves. */
// eslint-disable-next-line no-control-regex
const unseen = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\uffff\u{e0000}-\u{e01ef}]/gu

/** Pieces of a text: as it is, or a mark for a character that nobody would see. `lines` keeps the ends of lines. */
export function pieces(text: string, lines = false): { text: string; control?: boolean }[] {
  const out: { text: string; control?: boolean }[] = []
  let last = 0
  for (const m of text.matchAll(unseen)) {
    if (lines && m[0] === '\n') continue
    if (m.index > last) out.push({ text: text.slice(last, m.index) })
    out.push({ text: named(m[0]), control: true })
    last = m.index + m[0].length
  }
  if (last < text.length) out.push({ text: text.slice(last) })
  return out
}

const controls = 'NUL SOH STX ETX EOT ENQ ACK BEL BS TAB LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US'.split(' ')

function named(c: string): string {
  const code = c.codePointAt(0) ?? 0
  if (code < 0x20) return controls[code] ?? ''
  if (code === 0x7f) return 'DEL'
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`
}

/** Keeps the ends of a long name, which tell things apart, and leaves out its middle. */
export function shorten(text: string, most: number): string {
  const chars = [...text]
  if (chars.length <= most) return text
  const tail = Math.max(Math.floor(most * 0.55), 1)
  const head = Math.max(most - tail - 1, 1)
  return `${chars.slice(0, head).join('')}…${chars.slice(-tail).join('')}`
}

/** A sentence longer than this is folded: nobody reads it, and somebody may have meant it to fill the page. */
const long = 1200

/** The part of an ARN or path that people call the thing by. */
export function shortName(text: string): string {
  if (!text.startsWith('arn:')) return text
  const resource = text.split(':').slice(5).join(':')
  return resource.replace(/^(secret|role|user|assumed-role|function|key|parameter|table|instance|certificate)[:/]/, '') || text
}

interface Props {
  children: string | undefined | null
  /** At most so many characters; the whole is in the tooltip and in what is copied. */
  most?: number
  /** The name alone of an ARN. */
  name?: boolean
  mono?: boolean
  /** Several lines: wraps anywhere, and keeps line breaks as marks. */
  wrap?: boolean
  /** A click copies it whole. */
  copy?: boolean
  className?: string
}

/**
 * The one way a text out of a log gets onto a page. It cannot turn the text around
 * it (bidirectional marks stay inside), hide characters, or widen the layout; and
 * what is copied is the text as it was logged.
 */
export function LogText({ children, most, name, mono, wrap, copy, className }: Props) {
  const t = useParts()
  const [copied, copyIt] = useCopy()
  const [all, setAll] = useState(false)
  const whole = children ?? ''
  if (whole === '') return <span className="faint">–</span>
  const told = name ? shortName(whole) : whole
  const folded = !!wrap && !most && !all && told.length > long
  const short = most ? shorten(told, most) : folded ? shorten(told, long / 2) : told
  const body = (
    <bdi
      className={[css.text, mono ? css.mono : '', wrap ? css.wrap : css.line, copy ? css.copy : '', className ?? ''].join(' ')}
      dir="auto"
      onCopy={(e) => {
        // What is selected is the short form with marks; whoever copies wants the thing itself.
        const chosen = window.getSelection()?.toString() ?? ''
        if (chosen.trim() === e.currentTarget.textContent?.trim()) {
          e.preventDefault()
          e.clipboardData.setData('text/plain', whole)
        }
      }}
      {...(copy
        ? {
            role: 'button',
            tabIndex: 0,
            'aria-label': t('copyThing', { thing: short }),
            onClick: () => copyIt(whole),
            onKeyDown: (e: React.KeyboardEvent) => {
              if (e.key !== 'Enter' && e.key !== ' ') return
              e.preventDefault()
              e.stopPropagation()
              copyIt(whole)
            },
          }
        : {})}
    >
      {pieces(short).map((p, i) =>
        p.control ? (
          <span key={i} className={css.control}>
            {p.text}
          </span>
        ) : (
          p.text
        ),
      )}
    </bdi>
  )
  if (folded) {
    return (
      <>
        {body}{' '}
        <button type="button" className={css.more} onClick={() => setAll(true)}>
          {t('wholeText', { count: whole.length })}
        </button>
      </>
    )
  }
  if (short === whole && !copy) return body
  return (
    <Tooltip label={copied ? t('copied') : <Whole text={whole} />} opened={copied || undefined}>
      {body}
    </Tooltip>
  )
}

/** A whole text as a tooltip can bear it. */
function Whole({ text }: { text: string }) {
  return (
    <bdi className={css.whole} dir="auto">
      {pieces(shorten(text, 600)).map((p) => (p.control ? `⟨${p.text}⟩` : p.text)).join('')}
    </bdi>
  )
}

/** Copies a text, and tells for a moment that it did. */
export function useCopy(): [copied: boolean, copy: (text: string) => void] {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), 1200)
    return () => clearTimeout(timer)
  }, [copied])
  return [copied, (text) => void copyText(text).then(setCopied)]
}

/** Copies, and tells whether that worked. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return false
  }
}
