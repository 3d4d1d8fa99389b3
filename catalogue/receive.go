package catalogue

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/config"
	"github.com/yagura-sec/yagura/normalise"
	"github.com/yagura-sec/yagura/normalise/hec"
	"github.com/yagura-sec/yagura/source"
	"github.com/yagura-sec/yagura/source/receive"
)

// receiveNode is source/receive in the configuration.
type receiveNode struct {
	Type       string        `yaml:"type"`
	Name       string        `yaml:"name"`
	Token      config.Secret `yaml:"token"`
	OldToken   config.Secret `yaml:"old_token"` // taken too, while senders are given the new one
	Header     string        `yaml:"header"`
	QueryToken bool          `yaml:"query_token"`

	HEC         bool              `yaml:"hec"`
	Ack         bool              `yaml:"ack"`
	Format      string            `yaml:"format"`
	SourceTypes map[string]string `yaml:"sourcetypes"`

	MaxBody         config.Bytes    `yaml:"max_body"`
	MaxDecompressed config.Bytes    `yaml:"max_decompressed"`
	MaxRecord       config.Bytes    `yaml:"max_record"`
	MaxDepth        int             `yaml:"max_depth"`
	MaxHeld         config.Bytes    `yaml:"max_held"`
	BodyTimeout     config.Duration `yaml:"body_timeout"`
}

func openReceive(n config.Node, asks Asks) (source.Source, error) {
	var r receiveNode
	if err := n.Decode(&r); err != nil {
		return nil, err
	}
	formats := asks.formats()
	for _, f := range append(slices.Collect(maps.Values(r.SourceTypes)), r.Format) {
		if f != "" && !formats.Has(f) {
			return nil, unread(f, formats)
		}
	}
	c := receive.Config{
		Name: r.Name, Header: r.Header, QueryToken: r.QueryToken, HEC: r.HEC, Ack: r.Ack,
		Format: r.Format, SourceTypes: r.SourceTypes, Recognise: recognised(formats), Envelope: hec.Format,
		MaxBody: int64(r.MaxBody), MaxDecompressed: int64(r.MaxDecompressed), MaxRecord: int(r.MaxRecord), MaxDepth: r.MaxDepth,
		MaxHeld: int64(r.MaxHeld), BodyTimeout: time.Duration(r.BodyTimeout), Hub: asks.Hub, Now: asks.Now,
	}
	for _, secret := range []config.Secret{r.Token, r.OldToken} {
		if secret == "" {
			continue
		}
		if asks.Getenv == nil {
			return nil, fmt.Errorf("receive %s: there is nobody to ask for %s", r.Name, secret)
		}
		t, err := secret.Reveal(asks.Getenv)
		if err != nil {
			return nil, fmt.Errorf("receive %s: token: %w", r.Name, err)
		}
		c.Tokens = append(c.Tokens, t)
	}
	if asks.Ledger != nil {
		c.Settled, c.Listed = asks.Ledger.Settled, asks.Ledger.List
	}
	return receive.New(c)
}

// recognised tells which of the formats a record is of.
func recognised(formats normalise.Registry) func([]byte) string {
	return func(body []byte) string {
		format, _ := formats.Recognise(body)
		if !formats.Has(format) {
			return ""
		}
		return format
	}
}
