// Package oidc signs people in through an OpenID Connect provider: the
// authorization code flow with PKCE, state and nonce. Groups that the provider
// tells of give roles here.
//
//   - id: corp
//     name: Company sign-in
//     issuer: https://id.example.com
//     client_id: yagura
//     client_secret: env:OIDC_SECRET
//     roles:
//   - {group: security, role: admin}
//   - {group: team-a, role: analyst, accounts: ["111122223333"]}
package oidc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	coreos "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/yagura-sec/yagura/people"
)

// Config says which provider, and what its users may here.
type Config struct {
	ID       string // in our paths: letters, digits, dashes
	Name     string // on the button; empty: ID
	Issuer   string // its address; https, but on loopback
	ClientID string // under which it knows us
	// ClientSecret may be empty for a client that the provider calls public: PKCE
	// protects the code then too.
	ClientSecret string
	Scopes       []string // besides openid, profile and email
	// UserClaim is what users are called here: preferred_username, email, …;
	// empty: email where there is one, else preferred_username.
	UserClaim string
	// GroupsClaim lists the groups of a user; empty: groups. With dots it is a way
	// into objects, where there is no claim of that name.
	GroupsClaim string
	Roles       []RoleOf
	// Default is the role of whoever has no group with one; empty: none, and they
	// may not come in.
	Default people.Role
}

// RoleOf gives the members of a group a role. Whoever is in several such groups
// has the highest role, and the accounts of those that give it.
type RoleOf struct {
	Group    string
	Role     people.Role
	Accounts []string // limited to these; empty: every account
}

var goodID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// Provider is one provider.
type Provider struct {
	Config
	client *http.Client
	now    func() time.Time

	mu    sync.Mutex // guards found
	found *coreos.Provider
}

var _ people.Provider = (*Provider)(nil)

// patience is how long the provider may take to answer.
const patience = 10 * time.Second

// New checks c. It asks the provider for nothing yet: one that cannot be reached
// keeps out those who sign in through it, and nobody else.
func New(c Config, now func() time.Time) (*Provider, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.Name == "" {
		c.Name = c.ID
	}
	if c.GroupsClaim == "" {
		c.GroupsClaim = "groups"
	}
	return &Provider{Config: c, now: now, client: &http.Client{Timeout: patience}}, nil
}

func (c *Config) check() error {
	issuer, err := url.Parse(c.Issuer)
	switch {
	case !goodID.MatchString(c.ID):
		return fmt.Errorf("id %q: it has 1 to 32 of a-z, 0-9 and dashes", c.ID)
	case err != nil || issuer.Host == "" || issuer.RawQuery != "" || issuer.Fragment != "":
		return fmt.Errorf("issuer %q: the address of the provider is needed, such as https://id.example.com", c.Issuer)
	case issuer.Scheme != "https" && !(issuer.Scheme == "http" && loopback(issuer.Hostname())):
		return fmt.Errorf("issuer %q: https is needed beyond loopback", c.Issuer)
	case c.ClientID == "":
		return errors.New("client_id is needed")
	case c.Default != "" && !c.Default.Known():
		return fmt.Errorf("default_role %q: %w", c.Default, people.ErrRole)
	case len(c.Roles) == 0 && c.Default == "":
		return errors.New("roles or default_role is needed: nobody could come in")
	}
	for i, r := range c.Roles {
		switch {
		case r.Group == "":
			return fmt.Errorf("roles[%d]: a group is needed", i)
		case !r.Role.Known():
			return fmt.Errorf("roles[%d]: role %q: %w", i, r.Role, people.ErrRole)
		}
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// ID implements people.Provider.
func (p *Provider) ID() string { return p.Config.ID }

// Name implements people.Provider.
func (p *Provider) Name() string { return p.Config.Name }

// discover asks the provider once where to go; what fails is asked again.
func (p *Provider) discover(ctx context.Context) (*coreos.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	// Its keys are fetched later too, with this context: so it is not the caller's.
	lasting := coreos.ClientContext(context.WithoutCancel(ctx), p.client)
	found, err := coreos.NewProvider(lasting, p.Issuer)
	if err != nil {
		return nil, fmt.Errorf("ask %s where to sign in: %w", p.Issuer, err)
	}
	p.found = found
	return found, nil
}

func (p *Provider) oauth(found *coreos.Provider, callback string) *oauth2.Config {
	scopes := []string{coreos.ScopeOpenID, "profile", "email"}
	for _, s := range p.Scopes {
		if !slices.Contains(scopes, s) {
			scopes = append(scopes, s)
		}
	}
	return &oauth2.Config{ClientID: p.ClientID, ClientSecret: p.ClientSecret, Endpoint: found.Endpoint(), RedirectURL: callback, Scopes: scopes}
}

// Begin implements people.Provider.
func (p *Provider) Begin(ctx context.Context, callback string, a people.Attempt) (string, error) {
	found, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	return p.oauth(found, callback).AuthCodeURL(a.State, coreos.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)), nil
}

// refused tells why the provider does not vouch, or we do not believe it.
func refused(format string, args ...any) error {
	return fmt.Errorf("%w: %w", people.ErrRefused, fmt.Errorf(format, args...))
}

// Finish implements people.Provider.
func (p *Provider) Finish(ctx context.Context, callback string, a people.Attempt, answer people.Answer) (who people.Identity, err error) {
	// RFC 9207: what another provider says is not mistaken for this one's.
	if answer.Issuer != "" && answer.Issuer != p.Issuer {
		return who, refused("the answer is %q's", answer.Issuer)
	}
	if answer.Error != "" {
		return who, refused("it says %q: %q", answer.Error, answer.Description)
	}
	if answer.Code == "" {
		return who, refused("its answer has no code")
	}
	found, err := p.discover(ctx)
	if err != nil {
		return who, err
	}
	ctx = coreos.ClientContext(ctx, p.client)
	token, err := p.oauth(found, callback).Exchange(ctx, answer.Code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		var said *oauth2.RetrieveError
		if errors.As(err, &said) {
			return who, refused("it does not take the code: %q", said.ErrorCode)
		}
		return who, fmt.Errorf("exchange a code at %s: %w", p.Issuer, err)
	}
	said, err := p.verify(ctx, found, token, a.Nonce)
	if err != nil {
		return who, err
	}
	return p.identity(said)
}

// verify checks the identity token, and gives what it says of the user; of what
// it does not say, the user endpoint is asked.
func (p *Provider) verify(ctx context.Context, found *coreos.Provider, token *oauth2.Token, nonce string) (claims, error) {
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return nil, refused("its answer has no identity token")
	}
	id, err := found.Verifier(&coreos.Config{ClientID: p.ClientID, Now: p.now}).Verify(ctx, raw)
	if err != nil {
		return nil, refused("%w", err)
	}
	said := claims{}
	if err := id.Claims(&said); err != nil {
		return nil, refused("%w", err)
	}
	switch party, _ := said["azp"].(string); {
	case id.Nonce != nonce || nonce == "":
		return nil, refused("its identity token was made for another sign-in")
	case len(id.Audience) > 1 && party != p.ClientID:
		return nil, refused("its identity token is for somebody else too")
	case id.Subject == "":
		return nil, refused("its identity token names nobody")
	}
	if id.AccessTokenHash != "" {
		if err := id.VerifyAccessToken(token.AccessToken); err != nil {
			return nil, refused("%w", err)
		}
	}
	if _, known := said.at(p.GroupsClaim); (known || len(p.Roles) == 0) && said.user(p.UserClaim) != "" || found.UserInfoEndpoint() == "" {
		return said, nil
	}
	more, err := found.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return nil, fmt.Errorf("ask %s about the user: %w", p.Issuer, err)
	}
	if more.Subject != id.Subject {
		return nil, refused("it tells of another user than it vouches for")
	}
	further := claims{}
	if err := more.Claims(&further); err != nil {
		return nil, refused("%w", err)
	}
	for k, v := range further {
		if _, ok := said[k]; !ok {
			said[k] = v
		}
	}
	return said, nil
}

// claims are what a provider says of a user.
type claims map[string]any

// at gives a claim by its name, or by the way into objects that the name is.
func (c claims) at(name string) (any, bool) {
	if v, ok := c[name]; ok {
		return v, true
	}
	first, rest, deeper := strings.Cut(name, ".")
	inner, ok := c[first].(map[string]any)
	if !deeper || !ok {
		return nil, false
	}
	return claims(inner).at(rest)
}

func (c claims) text(name string) string {
	v, _ := c.at(name)
	s, _ := v.(string)
	return s
}

// user is what the user is to be called.
func (c claims) user(claim string) string {
	if claim != "" {
		return c.text(claim)
	}
	if mail := c.text("email"); mail != "" && c["email_verified"] != false {
		return mail
	}
	return c.text("preferred_username")
}

// groups gives those of the claim, which is a list or one text.
func (c claims) groups(claim string) (out []string) {
	v, _ := c.at(claim)
	switch v := v.(type) {
	case string:
		out = append(out, v)
	case []any:
		for _, one := range v {
			if s, ok := one.(string); ok {
				out = append(out, s)
			}
		}
	}
	return out
}

// identity gives the user in our words.
func (p *Provider) identity(said claims) (people.Identity, error) {
	who := people.Identity{Subject: said.text("sub"), User: said.user(p.UserClaim), FullName: said.text("name")}
	if p.UserClaim == "email" && said["email_verified"] == false {
		return who, refused("it has not verified the address %q", who.User)
	}
	// Of very many groups some providers only say where they could be read.
	if elsewhere, ok := said["_claim_names"].(map[string]any); ok && elsewhere[p.GroupsClaim] != nil {
		return who, refused("it does not list the user's groups, because there are too many: have it send only those of this application")
	}
	who.Role, who.Accounts = p.rights(said.groups(p.GroupsClaim))
	return who, nil
}

// rights are the highest role, and the accounts of the groups that give it: a
// lower role for more accounts does not widen where the higher one counts.
func (p *Provider) rights(groups []string) (role people.Role, accounts []string) {
	all := false
	for _, r := range p.Roles {
		if !slices.Contains(groups, r.Group) || role != "" && !r.Role.May(role) {
			continue
		}
		if r.Role != role {
			role, accounts, all = r.Role, nil, false
		}
		accounts = append(accounts, r.Accounts...)
		all = all || len(r.Accounts) == 0
	}
	switch {
	case role == "":
		return p.Default, nil
	case all:
		return role, nil
	}
	slices.Sort(accounts)
	return role, slices.Compact(accounts)
}
