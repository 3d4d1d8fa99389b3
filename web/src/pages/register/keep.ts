import { useQueryClient } from '@tanstack/react-query'

/** Asks anew what a change of the register changes. */
export function useTouched() {
  const queries = useQueryClient()
  return () =>
    queries.invalidateQueries({
      predicate: ({ queryKey: [path] }) => typeof path === 'string' && (path.startsWith('/api/register/') || path.startsWith('/api/findings')),
    })
}
