/** Who is signed in, and what they may. */
import { useQuery } from '@tanstack/react-query'
import { get } from '@/api/client'
import type { Role, Session } from '@/api/contract'

const roles: Role[] = ['viewer', 'analyst', 'responder', 'admin']

export const sessionQuery = { ...get('/api/session'), staleTime: 5 * 60_000, retry: false as const }

/** The session; pages behind sign-in always have one. */
export function useSession(): Session | undefined {
  return useQuery(sessionQuery).data
}

/** Tells whether the person's role is at least this. The server holds to it whatever the console shows. */
export function may(session: Session | undefined, role: Role): boolean {
  return !!session && roles.indexOf(session.role) >= roles.indexOf(role)
}

export function useMay(role: Role): boolean {
  return may(useSession(), role)
}
