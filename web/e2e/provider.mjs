// An identity provider for the tests: node provider.mjs PORT CALLBACK
import { Provider } from 'oidc-provider'

const [port, callback] = process.argv.slice(2)
const issuer = `http://127.0.0.1:${port}`
const provider = new Provider(issuer, {
  clients: [{ client_id: 'yagura', client_secret: process.env.OIDC_SECRET, redirect_uris: [callback], grant_types: ['authorization_code'], response_types: ['code'] }],
  scopes: ['openid', 'profile', 'email', 'groups'],
  claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'], groups: ['groups'] },
  conformIdTokenClaims: false,
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, name: `${id} of the provider`, email: `${id}@example.org`, email_verified: true, groups: id === 'outsider' ? ['sales'] : ['security'] }),
  }),
  cookies: { keys: ['for the tests alone'] },
  features: { devInteractions: { enabled: true } },
})
provider.listen(Number(port), '127.0.0.1', () => console.log('listening'))
