import { Menu } from '@mantine/core'
import { Icon } from '@/parts/icon'
import { address } from '@/parts/links'
import { useTexts } from './texts'
import css from './page.module.css'

interface Props {
  of: 'shares' | 'changes' | 'break-even'
  query?: Record<string, string | undefined>
}

/** A picture as a file, drawn by the server: as it is, or for sharing with aliases in the place of names. */
export function Pictures({ of, query }: Props) {
  const t = useTexts()
  const href = (format: string, masked: boolean) => address(`/api/cost/pictures/${of}.${format}`, { ...query, lang: t.language, masked: masked ? '1' : undefined })
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <button type="button" className={css.button}><Icon name="save" size={11} /> {t('pictures')}</button>
      </Menu.Target>
      <Menu.Dropdown>
        {(['svg', 'png'] as const).flatMap((format) =>
          [false, true].map((masked) => (
            <Menu.Item key={`${format}${masked}`} component="a" href={href(format, masked)} download title={masked ? t('pictureMaskedDoes') : undefined}>
              {t(masked ? 'pictureMasked' : 'picture', { format: format.toUpperCase() })}
            </Menu.Item>
          )),
        )}
      </Menu.Dropdown>
    </Menu>
  )
}
