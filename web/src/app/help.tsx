import { Modal } from '@mantine/core'
import { useKeyGroups } from './keys'
import { useShell } from './texts.shell'
import css from './help.module.css'

/** Every key that does something at present. */
export function Help({ close }: { close: () => void }) {
  const t = useShell()
  const groups = useKeyGroups()
  return (
    <Modal opened onClose={close} title={t('help')} size="lg" closeButtonProps={{ 'aria-label': t('close') }}>
      <p className="dim">{t('helpNote')}</p>
      <div className={css.groups}>
        {groups.map((g) => (
          <section key={g.title}>
            <h3>{g.title}</h3>
            <dl>
              {g.keys.map((k) => (
                <div key={k.keys}>
                  <dt>
                    {k.keys.split(' ').map((c) => (
                      <kbd key={c}>{said(c)}</kbd>
                    ))}
                  </dt>
                  <dd>{k.label}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Modal>
  )
}

function said(key: string): string {
  const mac = navigator.platform.startsWith('Mac')
  return key.replace('mod+', mac ? '⌘' : 'Ctrl ').replace('Enter', '↵').replace('ArrowDown', '↓').replace('ArrowUp', '↑')
}
