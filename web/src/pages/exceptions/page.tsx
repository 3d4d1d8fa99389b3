import { getRouteApi } from '@tanstack/react-router'
import { ExceptionDraft } from './draft'
import { ExceptionList } from './list'
import { Proposals } from './proposals'
import { useShow } from './shows'
import { Tuning } from './tuning'
import { WindowDraft } from './window'
import { WindowList } from './windows'

const page = getRouteApi('/in/exceptions')

/** What is accepted for a time, what is planned, what is proposed, and what could be better. */
export function Exceptions() {
  const { new: draft, open, scope = '', from = '' } = page.useSearch()
  const show = useShow()
  if (draft === 'window') return <WindowDraft from={from} />
  if (draft) return <ExceptionDraft scope={scope} from={from} />
  if (show === 'windows') return open ? <WindowDraft id={open} from="" /> : <WindowList />
  if (show === 'proposals') return <Proposals />
  if (show === 'tuning') return <Tuning />
  return open ? <ExceptionDraft id={open} scope="" from="" /> : <ExceptionList />
}
