/** What the server tells as it happens, over one stream for the whole console. */
import { useEffect, useRef, useSyncExternalStore } from 'react'

export interface Told {
  finding: { key: string; priority: number; title: string; severity: string; change: 'new' | 'changed' | 'decided' }
  ledger: object
  rules: object
  /** We were too slow and missed something: ask anew for what is shown. */
  missed: object
}

type Hearer<K extends keyof Told> = (what: Told[K]) => void
const hearers: { [K in keyof Told]: Set<Hearer<K>> } = { finding: new Set(), ledger: new Set(), rules: new Set(), missed: new Set() }

let connected = false
const watchers = new Set<() => void>()
function setConnected(to: boolean) {
  connected = to
  watchers.forEach((w) => w())
}

/** Opens the stream; gives how to close it. It opens itself again when it breaks. */
export function connect(): () => void {
  let source: EventSource | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let wait = 1000
  const open = () => {
    source = new EventSource('/api/live')
    source.onopen = () => {
      wait = 1000
      setConnected(true)
    }
    source.onerror = () => {
      setConnected(false)
      // The browser tries again after a break, but not after a refusal.
      if (source?.readyState === EventSource.CLOSED) {
        timer = setTimeout(open, wait)
        wait = Math.min(wait * 2, 60_000)
      }
    }
    for (const kind of Object.keys(hearers) as (keyof Told)[]) {
      source.addEventListener(kind, (e: MessageEvent<string>) => {
        let what: Told[typeof kind]
        try {
          what = JSON.parse(e.data) as Told[typeof kind]
        } catch {
          return // half a message of a server that is going away
        }
        hearers[kind].forEach((h) => (h as Hearer<typeof kind>)(what))
      })
    }
  }
  open()
  return () => {
    clearTimeout(timer)
    source?.close()
    setConnected(false)
  }
}

export function useLive<K extends keyof Told>(kind: K, hear: Hearer<K>) {
  const latest = useRef(hear)
  latest.current = hear
  useEffect(() => {
    const h: Hearer<K> = (what) => latest.current(what)
    hearers[kind].add(h)
    return () => {
      hearers[kind].delete(h)
    }
  }, [kind])
}

export function useConnected(): boolean {
  return useSyncExternalStore(
    (w) => {
      watchers.add(w)
      return () => watchers.delete(w)
    },
    () => connected,
  )
}
