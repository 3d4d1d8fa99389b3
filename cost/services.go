package cost

import (
	"bytes"
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

//go:embed services.yaml
var servicesFile []byte

// SecurityService is one that is there for security.
type SecurityService struct {
	ID        string   `yaml:"id"` // as people name it: "AWS Config"
	Provider  string   `yaml:"provider"`
	Codes     []string `yaml:"codes"`
	Usage     string   `yaml:"usage"`     // expression that its usage types match; empty: all
	Resources bool     `yaml:"resources"` // lines are kept by resource

	usage *regexp.Regexp
}

// table is services.yaml, by provider and code.
type table struct {
	all    []SecurityService
	byCode map[[2]string][]*SecurityService
}

var services = sync.OnceValue(func() table {
	t, err := readServices(servicesFile)
	if err != nil {
		panic(err) // it is part of the program, and a test reads it
	}
	return t
})

func readServices(text []byte) (table, error) {
	t := table{byCode: map[[2]string][]*SecurityService{}}
	in := yaml.NewDecoder(bytes.NewReader(text))
	in.KnownFields(true)
	if err := in.Decode(&t.all); err != nil {
		return t, fmt.Errorf("services.yaml: %w", err)
	}
	for i := range t.all {
		s := &t.all[i]
		if s.ID == "" || s.Provider == "" || len(s.Codes) == 0 {
			return t, fmt.Errorf("services.yaml: %q lacks its id, provider or codes", s.ID)
		}
		if s.Usage != "" {
			var err error
			if s.usage, err = regexp.Compile(s.Usage); err != nil {
				return t, fmt.Errorf("services.yaml: %s: %w", s.ID, err)
			}
		}
		for _, code := range s.Codes {
			key := [2]string{s.Provider, plainCode(code)}
			if !slices.Contains(t.byCode[key], s) { // codes may differ in case and spaces only
				t.byCode[key] = append(t.byCode[key], s)
			}
		}
	}
	return t, nil
}

// plainCode is a service's code without case and spaces.
func plainCode(s string) string { return strings.ToLower(strings.ReplaceAll(s, " ", "")) }

// SecurityServices lists the services that are there for security.
func SecurityServices() []SecurityService { return slices.Clone(services().all) }

// FindSecurity gives the security service that a line of a bill is for.
func FindSecurity(provider, service, usageType string) (SecurityService, bool) {
	for _, s := range services().byCode[[2]string{provider, plainCode(service)}] {
		if s.usage == nil || s.usage.MatchString(usageType) {
			return *s, true
		}
	}
	return SecurityService{}, false
}

// Security gives the id of the security service that a line of a bill is for.
func Security(provider, service, usageType string) (id string, ok bool) {
	s, ok := FindSecurity(provider, service, usageType)
	return s.ID, ok
}
