package price

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"
	"go.yaml.in/yaml/v3"

	"github.com/yagura-sec/yagura/cost"
)

// entry is a price as files write it.
type entry struct {
	Provider   string           `yaml:"provider"`
	Service    string           `yaml:"service"`
	Item       string           `yaml:"item"`
	Usage      []string         `yaml:"usage"`
	Regions    []string         `yaml:"regions"`
	From       string           `yaml:"from"`
	Until      string           `yaml:"until"`
	Unit       string           `yaml:"unit"`
	Currency   string           `yaml:"currency"`
	Per        *int64           `yaml:"per"`
	Price      *decimal.Decimal `yaml:"price"`
	Tiers      []step           `yaml:"tiers"`
	Confidence Confidence       `yaml:"confidence"`
	Source     struct {
		Title string `yaml:"title"`
		URL   string `yaml:"url"`
	} `yaml:"source"`
	Read string `yaml:"read"`
}

type step struct {
	UpTo  *decimal.Decimal `yaml:"up_to"`
	Price *decimal.Decimal `yaml:"price"`
}

// Parse reads a list of prices in the form of the built-in one. Unknown keys are
// errors; every error begins with file and says the line.
func Parse(file string, text []byte) (*List, error) {
	var entries []entry
	var lines []yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&entries); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %s", file, strings.TrimPrefix(strings.Join(strings.Fields(err.Error()), " "), "yaml: "))
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: there is more than one document", file)
	}
	if err := yaml.Unmarshal(text, &lines); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	l := &List{}
	for i := range entries {
		p, err := entries[i].price()
		if err == nil {
			err = l.clash(&p)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, lines[i].Line, err)
		}
		l.all = append(l.all, p)
	}
	return l, nil
}

// price checks an entry and gives what it says.
func (e *entry) price() (p Price, err error) {
	for _, x := range []struct{ name, value string }{
		{"provider", e.Provider}, {"service", e.Service}, {"item", e.Item}, {"unit", e.Unit}, {"currency", e.Currency}, {"source: title", e.Source.Title}, {"read", e.Read},
	} {
		if strings.TrimSpace(x.value) == "" {
			return p, fmt.Errorf("%s is empty", x.name)
		}
	}
	switch {
	case len(e.Regions) == 0 || slices.Contains(e.Regions, ""):
		return p, errors.New(`regions is empty: "*" is everywhere`)
	case len(e.Currency) != 3 || strings.ToUpper(e.Currency) != e.Currency:
		return p, fmt.Errorf("currency %q is no code such as USD", e.Currency)
	case !slices.Contains([]Confidence{High, Medium, Low}, e.Confidence):
		return p, fmt.Errorf("confidence %q is none of high, medium and low", e.Confidence)
	}
	p = Price{Provider: e.Provider, Service: e.Service, Item: e.Item, Usage: e.Usage, Regions: e.Regions, Unit: e.Unit, Currency: e.Currency,
		Confidence: e.Confidence, Source: cost.Source{Title: e.Source.Title, URL: e.Source.URL}}
	for _, x := range []struct {
		name, text string
		to         *time.Time
	}{{"from", e.From, &p.From}, {"until", e.Until, &p.Until}, {"read", e.Read, &p.Source.Date}} {
		if x.text == "" {
			continue
		}
		if *x.to, err = time.Parse(time.DateOnly, x.text); err != nil {
			return p, fmt.Errorf("%s: %q is no day such as 2026-03-02", x.name, x.text)
		}
	}
	if !p.Until.IsZero() && !p.Until.After(p.From) {
		return p, fmt.Errorf("until %s is not after from %s", e.Until, e.From)
	}
	p.Tiers, err = e.tiers()
	return p, err
}

func (e *entry) tiers() ([]Tier, error) {
	shift, err := e.shift()
	if err != nil {
		return nil, err
	}
	steps := e.Tiers
	switch {
	case e.Price != nil && len(steps) > 0 || e.Price == nil && len(steps) == 0:
		return nil, errors.New("either price or tiers is needed")
	case e.Price != nil:
		steps = []step{{Price: e.Price}}
	}
	var out []Tier
	var before decimal.Decimal
	for i, s := range steps {
		last := i == len(steps)-1
		switch {
		case s.Price == nil || s.Price.IsNegative() || !sane(*s.Price):
			return nil, fmt.Errorf("tier %d: a price of at least 0 is needed, of at most 18 digits", i+1)
		case last != (s.UpTo == nil):
			return nil, fmt.Errorf("tier %d: every tier but the last has up_to", i+1)
		case s.UpTo != nil && (!s.UpTo.GreaterThan(before) || !sane(*s.UpTo)):
			return nil, fmt.Errorf("tier %d: up_to %s is not above the tier before", i+1, s.UpTo)
		}
		t := Tier{Each: s.Price.Shift(-shift)}
		if s.UpTo != nil {
			t.UpTo, before = *s.UpTo, *s.UpTo
		}
		out = append(out, t)
	}
	return out, nil
}

// sane bounds the exponent of a number, so that none makes sums without end.
func sane(d decimal.Decimal) bool {
	return d.Exponent() >= -18 && d.Exponent() <= 18 && d.NumDigits() <= 18
}

// shift is by how many digits the price is of more than one unit: only powers of
// ten leave it exact.
func (e *entry) shift() (int32, error) {
	if e.Per == nil {
		return 0, nil
	}
	n, shift := *e.Per, int32(0)
	for ; n >= 10 && n%10 == 0; n /= 10 {
		shift++
	}
	if n != 1 {
		return 0, fmt.Errorf("per %d is no power of ten", *e.Per)
	}
	return shift, nil
}

// clash says which price stands there already for the same item, region and time.
func (l *List) clash(p *Price) error {
	for _, q := range l.all {
		if !q.of(p.Provider, p.Service, p.Item) || !p.overlaps(&q) {
			continue
		}
		for _, region := range p.Regions {
			if slices.Contains(q.Regions, region) {
				return fmt.Errorf("%s of %s in %s has a price at that time already", p.Item, p.Service, cmp.Or(region, anywhere))
			}
		}
	}
	return nil
}

func (p *Price) overlaps(q *Price) bool {
	return (p.Until.IsZero() || q.From.Before(p.Until)) && (q.Until.IsZero() || p.From.Before(q.Until))
}
