package config

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Duration is a time.Duration that also knows days: "400d", "1d12h", "250ms".
type Duration time.Duration

// UnmarshalYAML reads the text form.
func (d *Duration) UnmarshalYAML(n *yaml.Node) error {
	v, err := ParseDuration(n.Value)
	if err != nil {
		return fmt.Errorf("line %d, column %d: %w", n.Line, n.Column, err)
	}
	*d = Duration(v)
	return nil
}

// ParseDuration reads Go's durations with days in front.
func ParseDuration(s string) (time.Duration, error) {
	bad := fmt.Errorf("%q is no duration: write 90d, 12h, 1d12h or 250ms", s)
	rest := s
	var sum time.Duration
	if days, after, ok := strings.Cut(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return 0, bad
		}
		sum, rest = time.Duration(n)*24*time.Hour, after
	}
	if rest == "" && s != "" {
		return sum, nil
	}
	more, err := time.ParseDuration(rest)
	if err != nil || more < 0 {
		return 0, bad
	}
	return sum + more, nil
}

// Bytes is a size: "512MB", "1GiB", "4096". Units are powers of 1,024.
type Bytes int64

// UnmarshalYAML reads the text form.
func (b *Bytes) UnmarshalYAML(n *yaml.Node) error {
	v, err := ParseBytes(n.Value)
	if err != nil {
		return fmt.Errorf("line %d, column %d: %w", n.Line, n.Column, err)
	}
	*b = Bytes(v)
	return nil
}

// ParseBytes reads a size.
func ParseBytes(s string) (int64, error) {
	text := strings.TrimSpace(strings.ToUpper(s))
	text = strings.TrimSuffix(strings.TrimSuffix(text, "B"), "I")
	shift := 0
	if text != "" {
		if i := strings.IndexByte("KMGT", text[len(text)-1]); i >= 0 {
			shift, text = 10*(i+1), text[:len(text)-1]
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || n < 0 || n > (1<<62)>>shift {
		return 0, fmt.Errorf("%q is no size: write 4096, 512MB or 1GB", s)
	}
	return n << shift, nil
}

// Secret is a reference to a secret, never the secret: "env:NAME" or
// "file:PATH". It prints as the reference.
type Secret string

// UnmarshalYAML refuses everything that is no reference, without printing it.
func (s *Secret) UnmarshalYAML(n *yaml.Node) error {
	if n.Value != "" && !strings.HasPrefix(n.Value, "env:") && !strings.HasPrefix(n.Value, "file:") {
		return fmt.Errorf("line %d, column %d: a secret is given by reference: env:NAME or file:PATH", n.Line, n.Column)
	}
	*s = Secret(n.Value)
	return nil
}

// Reveal gives the secret; empty for the empty reference.
func (s Secret) Reveal(getenv func(string) string) (string, error) {
	kind, name, _ := strings.Cut(string(s), ":")
	switch kind {
	case "env":
		if v := getenv(name); v != "" {
			return v, nil
		}
		return "", fmt.Errorf("%s is not set", s)
	case "file":
		text, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		return strings.TrimRight(string(text), "\r\n"), nil
	}
	return "", nil
}
