/** The languages that everything people read is written in. */
export const languages = ['en', 'ja'] as const
export type Language = (typeof languages)[number]
