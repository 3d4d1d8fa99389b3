import './mantine'
import './look.css'
import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { setNonce } from 'get-nonce'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { onSignedOut, Problem } from '@/api/client'
import { makeRouter } from '@/app/router'
import { sessionQuery } from '@/app/session'
import { i18n, preferred, setLanguage } from '@/app/texts'
import { theme } from '@/app/theme'

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      // A refusal stays one; a server that restarts is back soon.
      retry: (times, error) => times < 2 && error instanceof Problem && (error.status === 0 || error.status === 503),
      placeholderData: undefined,
    },
  },
})

const router = makeRouter(queries)

onSignedOut(() => {
  const at = window.location.pathname
  if (at === '/signin' || at === '/first-run' || at === '/set-password' || at === '/register') return
  queries.removeQueries({ queryKey: sessionQuery.queryKey })
  void router.navigate({ to: '/signin', search: { to: router.state.location.href } })
})

setLanguage(preferred())
// What the server says is in the language it was asked in.
i18n.on('languageChanged', () => void queries.invalidateQueries())

const nonce = document.querySelector<HTMLMetaElement>('meta[name=csp-nonce]')?.content
if (nonce) setNonce(nonce) // of the style that keeps the page still under a dialog

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => nonce ?? ''}>
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
)
