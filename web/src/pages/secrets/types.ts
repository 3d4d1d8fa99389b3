import type { Answer } from '@/api/client'

export type SecretsPage = Answer<'/api/secrets', 'get'>
export type Secret = SecretsPage['secrets'][number]
export type SecretDetail = Answer<'/api/secrets/detail', 'get'>
