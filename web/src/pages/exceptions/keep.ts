import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { toast } from '@/app/toast'
import { useProblem } from '@/parts/states'

/** Paths whose answers an exception or window changes. */
const touched = ['/api/exceptions', '/api/exceptions/{id}', '/api/windows', '/api/windows/{id}', '/api/proposals', '/api/findings', '/api/findings/facets', '/api/findings/{key}', '/api/today', '/api/cases', '/api/audit']

export function useTouched() {
  const queries = useQueryClient()
  return () => Promise.all(touched.map((p) => queries.invalidateQueries({ queryKey: [p] })))
}

/** Sends what a form of this page changes, says that it is done, and goes back to the list; or tells what is wrong. */
export function useKeep(show?: 'windows') {
  const navigate = useNavigate()
  const problem = useProblem()
  const refresh = useTouched()
  const [busy, setBusy] = useState(false)
  const [wrong, setWrong] = useState('')
  const keep = async <T>(change: () => Promise<T>, said: (made: T) => string) => {
    setBusy(true)
    setWrong('')
    try {
      toast({ text: said(await change()) }, 5)
      await refresh()
      await navigate({ to: '/exceptions', search: { show } })
    } catch (e) {
      setWrong(problem(e))
      setBusy(false)
    }
  }
  return { busy, wrong, setWrong, keep }
}
