import { Button, Popover } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { get } from '@/api/client'
import { Command } from '@/parts/copy'
import { saveFile } from '@/parts/save'
import { Asked } from '@/parts/states'
import { useTexts } from './texts'
import css from './page.module.css'

/** The filter as a draft of a Sigma rule, to copy or to keep; or why there is none. */
export function AsRule({ q }: { q: string }) {
  const t = useTexts()
  const [open, setOpen] = useState(false)
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-end" trapFocus withRoles transitionProps={{ duration: 0 }}>
      <Popover.Target>
        <Button variant="default" disabled={!q} onClick={() => setOpen(!open)}>
          {t('asRule')}
        </Button>
      </Popover.Target>
      <Popover.Dropdown className={css.rule}>{open && <Draft q={q} />}</Popover.Dropdown>
    </Popover>
  )
}

function Draft({ q }: { q: string }) {
  const t = useTexts()
  const asked = useQuery({ ...get('/api/search/rule', { query: { q } }), retry: false })
  return (
    <Asked of={asked}>
      {(d) => (
        <>
          <p className="dim">{t('asRuleNote')}</p>
          <Command name={t('asRule')}>{d.rule}</Command>
          <Button variant="default" onClick={() => saveFile('search.yml', 'application/yaml', d.rule)}>
            {t('asRuleDownload')}
          </Button>
        </>
      )}
    </Asked>
  )
}
