/**
 * Deciding about findings, from any page: shown at once, sent, and one key away
 * from being taken back. The server keeps every decision and every undoing.
 */
import { useQueryClient, type QueryClient, type QueryKey } from '@tanstack/react-query'
import { useMemo } from 'react'
import { send } from '@/api/client'
import type { BulkBody, DecisionBody, Finding } from '@/api/contract'
import { shorten } from '@/parts/log-text'
import { useProblem } from '@/parts/states'
import { useParts } from '@/parts/texts'
import { may, useSession } from './session'
import { toast } from './toast'
import { useTriageTexts } from './triage.texts'

type TriageTexts = ReturnType<typeof useTriageTexts>

/** What one key decides. */
export type Choice = 'expected' | 'false_positive' | 'true_positive' | 'mine' | 'reopen'

export function decisionOf(choice: Choice, me: string): DecisionBody {
  switch (choice) {
    case 'expected':
      return { verdict: 'expected', status: 'resolved' }
    case 'false_positive':
      return { verdict: 'false_positive', status: 'resolved' }
    case 'true_positive':
      return { verdict: 'true_positive', status: 'in_progress' }
    case 'mine':
      return { assignee: me, status: 'in_progress' }
    case 'reopen':
      return { verdict: 'undetermined', status: 'new' }
  }
}

/** Reasons for a verdict, as finding.ReasonCodes has them. */
export const reasons: Record<string, string[]> = {
  true_positive: ['attack', 'policy_violation', 'mistake', 'exercise'],
  false_positive: ['rule_too_broad', 'wrong_data', 'wrong_context'],
  expected: ['planned_change', 'automation', 'approved', 'provider_service', 'break_glass', 'application_gap'],
  undetermined: ['not_enough_evidence', 'nobody_knows'],
}

/** Paths whose answers a decision changes. */
const touched = ['/api/findings', '/api/findings/{key}', '/api/findings/facets', '/api/today', '/api/cases', '/api/cases/{id}', '/api/findings/{key}/similar']

interface Done {
  groups: string[]
  text: string
  back: () => void
}

const done: Done[] = []

export interface Triage {
  /** Decides about each of the findings. */
  decide: (findings: Pick<Finding, 'key' | 'title'>[], decision: DecisionBody, what: string) => Promise<void>
  /** Decides what one key stands for. */
  choose: (findings: Pick<Finding, 'key' | 'title'>[], choice: Choice) => Promise<void>
  /** Decides about all that a filter chooses, also what is not on the page. */
  decideAll: (of: Pick<BulkBody, 'q' | 'demoted' | 'staged' | 'folded'>, expect: number, decision: DecisionBody, what: string) => Promise<void>
  undo: () => Promise<void>
  /** Whether the person may decide at all, and else why not. */
  may: boolean
  refusal: string | undefined
  me: string
}

export function useTriage(): Triage {
  const queries = useQueryClient()
  const t = useTriageTexts()
  const parts = useParts()
  const problem = useProblem()
  const session = useSession()
  const me = session?.user ?? ''
  const role = session?.role ?? 'viewer'
  const allowed = may(session, 'analyst')
  return useMemo(() => {
    const refusal = allowed ? undefined : parts('needsRole', { role: parts('role.analyst'), yours: parts(`role.${role}`) })
    const run = async (body: BulkBody, text: string) => {
      if (refusal) {
        toast({ text: refusal, bad: true })
        return
      }
      const back = body.keys ? show(queries, body.keys, body.decision) : () => {}
      try {
        const answer = await send('post', '/api/decisions', { body })
        const d: Done = { groups: [answer.group], text, back }
        if (answer.decided > 0) {
          done.push(d)
          told(d, body, t, queries, problem)
        }
        const [failed] = answer.failed
        if (failed) toast({ text: t('someFailed', { count: answer.failed.length, reason: failed.reason }), bad: true })
      } catch (e) {
        back()
        toast({ text: t('failed', { detail: problem(e) }), bad: true })
      } finally {
        refresh(queries)
      }
    }
    const triage: Triage = {
      may: allowed,
      refusal,
      me,
      decide: (findings, decision, what) => {
        const [one] = findings
        if (!one) return Promise.resolve()
        const text = findings.length === 1 ? t('didOne', { what, title: shorten(one.title, 60) }) : t('did', { what, count: findings.length })
        return run({ keys: findings.map((f) => f.key), decision }, text)
      },
      choose: (findings, choice) => triage.decide(findings, decisionOf(choice, me), t(named[choice])),
      // The server refuses when the filter chooses more by now than the person has seen.
      decideAll: (of, expect, decision, what) => run({ ...of, expect, decision }, what),
      undo: () => undo(queries, t, problem),
    }
    return triage
  }, [queries, t, parts, problem, me, role, allowed])
}

const named = { expected: 'expected', false_positive: 'falsePositive', true_positive: 'truePositive', mine: 'mine', reopen: 'reopen' } as const

/** Says what was decided, with undo, and asks for the reason of a verdict. */
function told(d: Done, body: BulkBody, t: TriageTexts, queries: QueryClient, problem: (e: unknown) => string) {
  const { verdict } = body.decision
  const codes = verdict && !body.decision.reason ? (reasons[verdict] ?? []) : []
  const away = toast({
    text: d.text,
    actions: [
      { label: t('undo'), key: 'u', run: () => (away(), void undo(queries, t, problem, d)) },
      ...codes.slice(0, 4).map((code) => ({
        label: t.word('reason', code),
        run: () => {
          away()
          const more = { verdict, reason: code }
          send('post', '/api/decisions', { body: { ...body, expect: undefined, decision: more } }).then(
            (answer) => {
              d.groups.push(answer.group)
              toast({ text: t('reasonKept', { reason: t.word('reason', code) }) }, 3)
              refresh(queries)
            },
            (e: unknown) => toast({ text: t('failed', { detail: problem(e) }), bad: true }),
          )
        },
      })),
    ],
  })
}

/** Takes back d, or the last decision that was made here. */
async function undo(queries: QueryClient, t: TriageTexts, problem: (e: unknown) => string, d = done.at(-1)): Promise<void> {
  if (!d) {
    toast({ text: t('nothingToUndo') }, 3)
    return
  }
  done.splice(done.indexOf(d), 1)
  d.back()
  try {
    for (const group of d.groups.toReversed()) await send('post', '/api/decisions/undo', { body: { group } })
    toast({ text: t('undone', { what: d.text }) }, 4)
  } catch (e) {
    toast({ text: t('undoFailed', { what: d.text, detail: problem(e) }), bad: true })
  } finally {
    refresh(queries)
  }
}

let timer: ReturnType<typeof setTimeout> | undefined

/** Asks anew what a decision changes; several in a row ask once. */
function refresh(queries: QueryClient) {
  clearTimeout(timer)
  timer = setTimeout(() => {
    for (const path of touched) void queries.invalidateQueries({ queryKey: [path] })
  }, 400)
}

/** Shows a decision in all that is on the page before the server has answered; gives how to put it back. */
function show(queries: QueryClient, keys: string[], d: DecisionBody): () => void {
  const wanted = new Set(keys)
  const before: [QueryKey, unknown][] = []
  for (const path of touched) {
    for (const [key, data] of queries.getQueriesData({ queryKey: [path] })) {
      const next = changed(data, wanted, d)
      if (next === data) continue
      before.push([key, data])
      queries.setQueryData(key, next)
    }
  }
  return () => before.forEach(([key, data]) => queries.setQueryData(key, data))
}

/** A copy of data in which the findings of these keys are decided; data itself when none is in it. */
export function changed(data: unknown, keys: Set<string>, d: DecisionBody): unknown {
  const said = Object.fromEntries(Object.entries(d).filter(([k, v]) => v !== undefined && k !== 'comment' && k !== 'reason'))
  return mapped(data, (f) => (keys.has(f.key) ? { ...f, ...said } : f))
}

/** A copy of an answer of the API with each finding in it replaced; data itself when nothing is. */
export function mapped(data: unknown, change: (f: Finding) => Finding): unknown {
  if (Array.isArray(data)) {
    const next = data.map((x) => mapped(x, change))
    return next.some((x, i) => x !== data[i]) ? next : data
  }
  if (typeof data !== 'object' || data === null) return data
  const o = data as Record<string, unknown>
  if (typeof o.key === 'string' && 'priority' in o) return change(o as unknown as Finding)
  let next: Record<string, unknown> | undefined
  for (const inner of ['findings', 'pages', 'needs', 'similar', 'finding']) {
    if (!(inner in o)) continue
    const v = mapped(o[inner], change)
    if (v !== o[inner]) next = { ...(next ?? o), [inner]: v }
  }
  return next ?? data
}

/** Puts findings that changed into all that is shown, where they stand. */
export function replace(queries: QueryClient, fresh: readonly Finding[]) {
  const by = new Map(fresh.map((f) => [f.key, f]))
  for (const path of touched) queries.setQueriesData({ queryKey: [path] }, (data: unknown) => mapped(data, (f) => by.get(f.key) ?? f))
}

/** The keys of all findings that are in answers we hold. */
export function shownKeys(queries: QueryClient): Set<string> {
  const keys = new Set<string>()
  for (const path of touched) {
    for (const [, data] of queries.getQueriesData({ queryKey: [path], type: 'active' })) {
      mapped(data, (f) => {
        keys.add(f.key)
        return f
      })
    }
  }
  return keys
}

/** Whether nobody has decided about it yet, nor anything accounts for it. */
export function open(f: Pick<Finding, 'status'>): boolean {
  return f.status === 'new' || f.status === 'in_progress'
}

