/** The few icons there are, drawn here: 16 px, one stroke. */
const paths = {
  today: 'M2.5 12.5h11M4 9.5a4 4 0 0 1 8 0M8 2v1.5M2.6 4.6l1 1M13.4 4.6l-1 1',
  findings: 'M2.5 3.5h11M2.5 8h11M2.5 12.5h7M12 11l2 2.5',
  cases: 'M2 5h12v8H2ZM6 5V3h4v2M2 8.5h12',
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM10.5 10.5 14 14',
  dashboards: 'M2.5 2.5v11h11M5 11V8M8 11V5M11 11V7',
  secrets: 'M5.5 7a3 3 0 1 0 0 2.5h4V12h2V9.5H14V7H5.5Z',
  register: 'M3.5 2.5h9v11h-9ZM5.5 5.5h1M8.5 5.5h2M5.5 8h1M8.5 8h2M5.5 10.5h1M8.5 10.5h2',
  cost: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2ZM10 5.8C9.5 5.2 8.8 5 8 5 6.9 5 6 5.6 6 6.5 6 8.5 10 7.5 10 9.5 10 10.4 9.1 11 8 11 7.2 11 6.4 10.7 6 10.1M8 4v8',
  decisions: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2ZM8 5v3.2l2.2 1.6',
  rules: 'M3 2.5h10v11H3ZM5.5 5.5h5M5.5 8h5M5.5 10.5h3',
  ledger: 'M2.5 2.5h3v3h-3ZM6.5 2.5h3v3h-3ZM10.5 2.5h3v3h-3ZM2.5 6.5h3v3h-3ZM6.5 6.5h3v3h-3ZM2.5 10.5h3v3h-3ZM6.5 10.5h3v3h-3ZM10.5 10.5h3v3h-3Z',
  exceptions: 'M2.5 3.5h11v10h-11ZM2.5 6.5h11M5.5 2v3M10.5 2v3M5.5 10l1.8 1.8L11 8.5',
  settings: 'M8 5.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5ZM8 1.5v2M8 12.5v2M1.5 8h2M12.5 8h2M3.4 3.4l1.4 1.4M11.2 11.2l1.4 1.4M12.6 3.4l-1.4 1.4M4.8 11.2l-1.4 1.4',
  menu: 'M2.5 4h11M2.5 8h11M2.5 12h11',
  light: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6ZM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1',
  dark: 'M13 9.5A5.5 5.5 0 0 1 6.5 3 5.5 5.5 0 1 0 13 9.5Z',
  auto: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2ZM8 2v12M8 5l4-1M8 8h6M8 11l4 1',
  close: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
  check: 'M3 8.5l3.5 3.5L13 4.5',
  right: 'M6 3l5 5-5 5',
  left: 'M10 3 5 8l5 5',
  down: 'M3 6l5 5 5-5',
  up: 'M3 10l5-5 5 5',
  person: 'M8 2.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5ZM3 13.5a5 5 0 0 1 10 0',
  save: 'M3 2.5h10v11L8 10l-5 3.5Z',
  more: 'M3.5 8h.01M8 8h.01M12.5 8h.01',
  external: 'M6 3H3v10h10v-3M9 3h4v4M13 3 7 9',
  filter: 'M2 3.5h12L9.5 9v4l-3-1.5V9Z',
  live: 'M8 7a1 1 0 1 0 0 2 1 1 0 0 0 0-2ZM4.8 4.8a4.5 4.5 0 0 0 0 6.4M11.2 4.8a4.5 4.5 0 0 1 0 6.4',
} as const

export type IconName = keyof typeof paths

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      viewBox="0 0 16 16" width={size} height={size} fill="none" stroke="currentColor" strokeWidth="1.4"
      strokeLinecap="round" strokeLinejoin="round" aria-hidden="true" focusable="false"
    >
      <path d={paths[name]} />
    </svg>
  )
}

/** The watchtower. */
export function Mark({ size = 24 }: { size?: number }) {
  return (
    <svg viewBox="0 0 24 24" width={size} height={size} fill="currentColor" aria-hidden="true" focusable="false">
      <path
        fillRule="evenodd"
        d="M12 1.5 21.5 6.5V8.5H2.5V6.5ZM5 9.5H19V14H5ZM7 10.75V12.75H9.5V10.75ZM11 10.75V12.75H17V10.75ZM6.6 15H8.8L8.3 18H15.7L15.2 15H17.4L19 22.5H16.6L16.1 20H7.9L7.4 22.5H5Z"
      />
    </svg>
  )
}
