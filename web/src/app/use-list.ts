/** Moving through a list of findings by keys, and deciding where one stands. */
import { useNavigate } from '@tanstack/react-router'
import { useCallback, useRef, useState } from 'react'
import type { Finding } from '@/api/contract'
import { useKeys } from './keys'
import { useTriage, type Choice } from './triage'
import { useTriageTexts } from './triage.texts'

/** The list that was looked at last: what j and k walk on a finding's own page. */
let walked: string[] = []
/** Where one was: coming back, one stands there again. */
let opened: string | undefined
export function neighbours(key: string): { before?: string; after?: string; at: number; of: number } {
  const at = walked.indexOf(key)
  if (at < 0) return { at: -1, of: 0 }
  return { before: walked[at - 1], after: walked[at + 1], at, of: walked.length }
}

interface Options {
  findings: readonly Finding[]
  selected?: ReadonlySet<string>
  onSelect?: (keys: Set<string>) => void
  /** Asks before deciding about as many as this at once. */
  ask?: (choice: Choice) => void
  on?: boolean
}

/** More than these at once are asked about first. */
export const manyAtOnce = 20

export function useFindingList({ findings, selected, onSelect, ask, on = true }: Options) {
  const t = useTriageTexts()
  const triage = useTriage()
  const navigate = useNavigate()
  const [at, setAt] = useState(opened)
  const keys = findings.map((f) => f.key)
  const latest = useRef({ findings, keys })
  latest.current = { findings, keys }

  const index = at === undefined ? -1 : keys.indexOf(at)
  const move = (by: number) => {
    opened = undefined
    const next = keys[Math.min(Math.max(index + by, 0), keys.length - 1)]
    if (next !== undefined) setAt(next)
  }
  const openOne = useCallback(
    (key: string) => {
      walked = latest.current.keys
      opened = key
      setAt(key)
      void navigate({ to: '/findings/$key', params: { key } })
    },
    [navigate],
  )
  const chosen = useCallback(
    (key?: string) => {
      const { findings } = latest.current
      if (key) return findings.filter((f) => f.key === key)
      return selected?.size ? findings.filter((f) => selected.has(f.key)) : findings.filter((f) => f.key === at)
    },
    [selected, at],
  )
  const choose = useCallback(
    (choice: Choice, key?: string) => {
      const whom = chosen(key)
      if (!whom.length) return
      if (!key && ask && whom.length > manyAtOnce) {
        ask(choice)
        return
      }
      // What is decided leaves the list; the next one takes its place under the keys.
      const { keys } = latest.current
      const gone = new Set(whom.map((f) => f.key))
      const from = keys.findIndex((k) => gone.has(k))
      const next = keys.slice(from).find((k) => !gone.has(k)) ?? keys.slice(0, from).findLast((k) => !gone.has(k))
      if (!key && next !== undefined) setAt(next)
      if (!key) onSelect?.(new Set())
      void triage.choose(whom, choice)
    },
    [chosen, onSelect, triage, ask],
  )

  useKeys(
    t('keys'),
    [
      { keys: 'j', label: t('keyNext'), run: () => move(1) },
      { keys: 'k', label: t('keyBefore'), run: () => move(-1) },
      { keys: 'Enter', label: t('keyOpen'), run: () => at !== undefined && index >= 0 && openOne(at) },
      { keys: 'e', label: t('keyExpected'), run: () => choose('expected') },
      { keys: 'f', label: t('keyFalsePositive'), run: () => choose('false_positive') },
      { keys: 'a', label: t('keyAssign'), run: () => choose('mine') },
      ...(onSelect
        ? [
            {
              keys: 'x',
              label: t('keySelect'),
              run: () => {
                if (at === undefined) return
                const next = new Set(selected)
                if (!next.delete(at)) next.add(at)
                onSelect(next)
              },
            },
          ]
        : []),
    ],
    on,
  )
  return { at, setAt, openOne, choose, triage }
}
