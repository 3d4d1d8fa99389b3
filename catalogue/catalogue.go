// Package catalogue is the plain list of everything there is to connect:
// sources, formats, rules. Reading it tells what this program can do.
package catalogue

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/config"
	"github.com/yagura-sec/yagura/detect/correlate"
	"github.com/yagura-sec/yagura/detect/rule"
	"github.com/yagura-sec/yagura/detect/stored"
	"github.com/yagura-sec/yagura/ledger"
	"github.com/yagura-sec/yagura/normalise"
	"github.com/yagura-sec/yagura/normalise/alerts"
	"github.com/yagura-sec/yagura/normalise/azureactivity"
	"github.com/yagura-sec/yagura/normalise/cloudtrail"
	"github.com/yagura-sec/yagura/normalise/entra"
	"github.com/yagura-sec/yagura/normalise/gcpaudit"
	"github.com/yagura-sec/yagura/normalise/hec"
	"github.com/yagura-sec/yagura/normalise/keyvault"
	"github.com/yagura-sec/yagura/normalise/office365"
	"github.com/yagura-sec/yagura/normalise/okta"
	"github.com/yagura-sec/yagura/normalise/workspace"
	"github.com/yagura-sec/yagura/rules"
	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/pipeline"
	"github.com/yagura-sec/yagura/source"
	"github.com/yagura-sec/yagura/source/receive"
)

// Sources are the kinds of source a configuration may name.
var Sources = map[string]func(config.Node, Asks) (source.Source, error){
	"file":    openFile,
	"receive": openReceive,
}

// Asks is what sources ask of the rest of the program.
type Asks struct {
	Ledger ledger.Settler
	Now    func() time.Time
	// Formats are those that records may have; nil: the program's own.
	Formats *normalise.Registry
	// Getenv is where secrets are looked up that sources are to show or to know.
	Getenv func(string) string
	// Hub is where senders reach the sources that receive; nil: nowhere.
	Hub *receive.Hub
}

// Source makes the source of a node of the configuration; it opens nothing.
func Source(n config.Node, asks Asks) (source.Source, error) {
	open, ok := Sources[n.Type]
	if !ok {
		return nil, fmt.Errorf("type %q is none of the sources there are: %s", n.Type, strings.Join(slices.Sorted(maps.Keys(Sources)), ", "))
	}
	return open(n, asks)
}

// normalisers are those of the formats that are read by Go.
func normalisers() []normalise.Normaliser {
	return slices.Concat(alerts.All(), workspace.All(), []normalise.Normaliser{
		cloudtrail.Normaliser{}, hec.Normaliser{}, gcpaudit.Normaliser{},
		azureactivity.Normaliser{}, keyvault.Normaliser{}, entra.SignIns{}, entra.Audits{}, office365.Normaliser{}, okta.Normaliser{},
	})
}

// BuiltinRules are our own rules, and how messages name them.
func BuiltinRules() rule.Tree { return rule.Tree{FS: rules.FS(), Shown: "builtin"} }

// Rules makes the detector of the configured rules and those of extra folders
// or files. Every rule that is refused is an error of its own.
func Rules(c config.Rules, extra []string) (d *rule.Detector, refused []error) {
	var trees []rule.Tree
	if c.Builtin {
		trees = append(trees, BuiltinRules())
	}
	o, wrong := RuleOptions(c)
	d, errs := rule.Load(trees, slices.Concat(c.Dirs, extra), o)
	for _, err := range append(wrong, errs...) {
		refused = append(refused, err)
	}
	return d, refused
}

// Hunter makes the hunter of the detector's correlations, which looks for them in
// stored events. One that is to live remembers what the detector judges: it is to
// be made before that. Count tells it how many events are stored.
func Hunter(d *rule.Detector, src stored.Source, live bool, count correlate.Count) *correlate.Hunter {
	if !live {
		return correlate.New(d, src, correlate.Options{Hits: -1, Count: count})
	}
	return correlate.New(d, src, correlate.Options{Count: count})
}

// Documents are the configured rules, and those of extra folders or files, as
// they are written.
func Documents(c config.Rules, extra []string) (sigma.Documents, []*sigma.Error) {
	var trees []rule.Tree
	if c.Builtin {
		trees = append(trees, BuiltinRules())
	}
	return rule.Documents(trees, slices.Concat(c.Dirs, extra))
}

// RuleOptions are what the configuration says about all rules. The errors are of
// its pipelines and aliases, without which rules would mean something else.
func RuleOptions(c config.Rules) (rule.Options, []*sigma.Error) {
	o := rule.Options{Extended: c.ExtendedConditions}
	o.Placeholders = c.Placeholders
	var refused, more []*sigma.Error
	if len(c.Pipelines) > 0 {
		o.Pipelines, refused = pipeline.Load(c.Pipelines...)
	}
	switch c.Aliases {
	case "", "none":
	case "default":
		o.Aliases = pipeline.DefaultAliases()
	default:
		text, err := os.ReadFile(c.Aliases)
		if err != nil {
			return o, append(refused, &sigma.Error{File: c.Aliases, Pos: sigma.Pos{Line: 1, Col: 1}, Reason: err.Error()})
		}
		o.Aliases, more = pipeline.ParseAliases(c.Aliases, text)
	}
	return o, append(refused, more...)
}
