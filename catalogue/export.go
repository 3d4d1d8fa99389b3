package catalogue

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/config"
	"github.com/yagura-sec/yagura/export"
	"github.com/yagura-sec/yagura/export/hec"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/mask"
)

// Outputs are the kinds of output for findings that a configuration may name.
var Outputs = map[string]func(config.Node, OutputAsks) (export.Output, error){
	"hec": openHEC,
}

// OutputAsks is what outputs ask of the rest of the program.
type OutputAsks struct {
	Changes  export.Changes
	Reopened export.Reopenings // decisions that came back
	Outbox   export.Outbox
	Mask     func() (*mask.Masker, error) // asked where an output is to be masked
	Options  export.Options               // what all outputs have in common
	Getenv   func(string) string
	Now      func() time.Time
	Refused  func(key string, why error)
}

// Output makes the output of a node of the configuration; it opens nothing.
func Output(n config.Node, asks OutputAsks) (export.Output, error) {
	open, ok := Outputs[n.Type]
	if !ok {
		return nil, fmt.Errorf("type %q is none of the outputs there are: %s", n.Type, strings.Join(slices.Sorted(maps.Keys(Outputs)), ", "))
	}
	return open(n, asks)
}

// hecNode is export/hec in the configuration.
type hecNode struct {
	Type       string          `yaml:"type"`
	Name       string          `yaml:"name"` // in the outbox
	URL        string          `yaml:"url"`
	Token      config.Secret   `yaml:"token"`
	CA         string          `yaml:"ca"` // a PEM file
	Index      string          `yaml:"index"`
	SourceType string          `yaml:"sourcetype"`
	Form       string          `yaml:"form"`      // yagura or ocsf
	Only       string          `yaml:"only"`      // a scope over findings
	Decisions  *bool           `yaml:"decisions"` // whether it is told of those that come back; absent: it is
	Masked     bool            `yaml:"masked"`
	Every      config.Duration `yaml:"every"`
}

func openHEC(n config.Node, asks OutputAsks) (export.Output, error) {
	var h hecNode
	if err := n.Decode(&h); err != nil {
		return nil, err
	}
	c := hec.Config{
		Name: h.Name, URL: h.URL, Options: asks.Options, Every: time.Duration(h.Every),
		Changes: asks.Changes, Outbox: asks.Outbox, Now: asks.Now, Refused: asks.Refused,
	}
	if h.Decisions == nil || *h.Decisions {
		c.Reopened = asks.Reopened
	}
	c.Options.Index, c.Options.SourceType = h.Index, h.SourceType
	switch h.Form {
	case "", "yagura":
	case "ocsf":
		o := c.Options
		c.Options.View = func(f finding.Finding) any { return export.OCSFEvent(f, o) }
		if h.SourceType == "" {
			c.Options.SourceType = "yagura:finding:ocsf"
		}
	default:
		return nil, fmt.Errorf("hec %s: form %q: it is yagura or ocsf", c.Name, h.Form)
	}
	var err error
	if asks.Getenv != nil {
		if c.Token, err = h.Token.Reveal(asks.Getenv); err != nil {
			return nil, fmt.Errorf("hec %s: token: %w", c.Name, err)
		}
	}
	if h.CA != "" {
		if c.CA, err = os.ReadFile(h.CA); err != nil {
			return nil, fmt.Errorf("hec %s: ca: %w", c.Name, err)
		}
	}
	if c.Scope, err = finding.ParseScope(h.Only); err != nil {
		return nil, fmt.Errorf("hec %s: only: %w", c.Name, err)
	}
	if h.Masked {
		if c.Options.Mask, err = asks.Mask(); err != nil {
			return nil, fmt.Errorf("hec %s: %w", c.Name, err)
		}
	}
	return hec.New(c)
}
