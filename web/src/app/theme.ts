import { createTheme, type MantineColorsTuple } from '@mantine/core'

/** Ink blue: the one accent. */
const ink: MantineColorsTuple = [
  '#eef3fa', '#dbe5f2', '#b6c9e4', '#8eacd6', '#6b92c9', '#4f7cbb', '#3a68a8', '#2b568f', '#214675', '#17345a',
]

/** A grey without a tint to speak of; dark mode stands on the same steps. */
const slate: MantineColorsTuple = [
  '#c9ccd1', '#b3b8bf', '#9298a1', '#686f79', '#434952', '#353a42', '#292d34', '#1c1f24', '#16181c', '#0f1114',
]

export const theme = createTheme({
  primaryColor: 'ink',
  primaryShade: { light: 7, dark: 6 },
  colors: { ink, dark: slate },
  fontFamily:
    '-apple-system, "Segoe UI", Roboto, "Hiragino Sans", "Noto Sans JP", "Noto Sans CJK JP", "Yu Gothic UI", Meiryo, system-ui, sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", "Noto Sans Mono CJK JP", monospace',
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '20px' },
  defaultRadius: 4,
  cursorType: 'pointer',
  autoContrast: true,
  respectReducedMotion: true,
  components: {
    Tooltip: { defaultProps: { openDelay: 350, withArrow: false, multiline: true, maw: 420, fz: 'xs' } },
    Button: { defaultProps: { size: 'xs' } },
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray' } },
    Modal: { defaultProps: { transitionProps: { duration: 0 }, centered: false } },
    Menu: { defaultProps: { transitionProps: { duration: 0 }, shadow: 'md' } },
    TextInput: { defaultProps: { size: 'xs' } },
    Select: { defaultProps: { size: 'xs' } },
    Textarea: { defaultProps: { size: 'xs' } },
  },
})
