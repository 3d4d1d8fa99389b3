import { Button } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { Nothing, useProblem } from '@/parts/states'
import { useShell } from './texts.shell'

export function NotFound() {
  const t = useShell()
  return (
    <Nothing title={t('notFound')} action={<Link to="/">{t('toToday')}</Link>}>
      {t('notFoundMore')}
    </Nothing>
  )
}

/** A page that threw, or whose pieces are of a build that is gone. */
export function Broken({ error }: { error: unknown }) {
  const t = useShell()
  const problem = useProblem()
  return (
    <Nothing
      title={t('broken')}
      action={
        <Button variant="default" onClick={() => window.location.reload()}>
          {t('reload')}
        </Button>
      }
    >
      {t('brokenMore', { detail: problem(error) })}
    </Nothing>
  )
}
