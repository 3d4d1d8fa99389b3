import { useQueryClient } from '@tanstack/react-query'

/** Asks anew what a decision changes: itself, the lists, and what shows that it was decided about. */
export function useTouched() {
  const queries = useQueryClient()
  return () =>
    queries.invalidateQueries({
      predicate: ({ queryKey: [path] }) => typeof path === 'string' && ['/api/decisions', '/api/cost/advice', '/api/findings/{key}', '/api/today'].some((p) => path.startsWith(p)),
    })
}
