package novelty

import (
	"maps"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/yagura-sec/yagura/detect/anomaly/table"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/usage"
)

// values are the operations that give out or use what a secret or key holds.
// Describing and listing them, as the console does on every page, is none.
var values = withGoogle(map[string]bool{
	"GetSecretValue": true, "BatchGetSecretValue": true,
	"GetParameter": true, "GetParameters": true, "GetParametersByPath": true, "GetParameterHistory": true,
	"Decrypt": true, "Encrypt": true, "ReEncrypt": true, "ReEncryptFrom": true, "ReEncryptTo": true,
	"GenerateDataKey": true, "GenerateDataKeyWithoutPlaintext": true, "GenerateDataKeyPair": true,
	"GenerateDataKeyPairWithoutPlaintext": true, "Sign": true, "Verify": true, "GenerateMac": true, "VerifyMac": true,
	"DeriveSharedSecret": true,
	"SecretGet":          true, "KeySign": true, "KeyVerify": true, "KeyEncrypt": true, "KeyDecrypt": true, "KeyWrap": true, "KeyUnwrap": true, "KeyRelease": true, // Azure
})

func withGoogle(m map[string]bool) map[string]bool {
	for _, op := range slices.Concat(usage.GoogleSecretReads, usage.GoogleKeyUses) {
		m[op] = true
	}
	return m
}

// Reads are the operations of Value, sorted: for choosing evidence.
var Reads = func() []string {
	var list []string
	for op := range values {
		list = append(list, op)
	}
	slices.Sort(list)
	return list
}()

// Value tells whether the operation gives out or uses what a secret or key holds.
func Value(operation string) bool { return values[operation] }

// Got tells whether the caller got it. A throttled call is one that the caller
// repeats until it does.
func Got(o event.Outcome) bool { return o == event.Success || o == event.Throttled }

// Program tells whether a program stands behind the caller, by its own
// credentials.
func Program(c event.Caller) bool {
	switch c {
	case event.CallerLambda, event.CallerECS, event.CallerEC2, event.CallerEKS, event.CallerCI:
		return true
	}
	return false
}

// classes numbers callers; 0 is none.
var classes = []event.Caller{"", event.CallerLambda, event.CallerECS, event.CallerEC2, event.CallerEKS, event.CallerCI,
	event.CallerConsole, event.CallerPersonCLI, event.CallerAWSService, event.CallerStaticKey, event.CallerUnknown}

// Class is the number of a caller: at most 15.
func Class(c event.Caller) uint8 {
	if i := slices.Index(classes, c); i > 0 {
		return uint8(i)
	}
	return uint8(len(classes) - 1) // unknown
}

// CallerOf is the caller of a number.
func CallerOf(class uint8) event.Caller { return classes[class] }

// A is the caller as a person says it: "a Lambda function".
func A(c event.Caller) say.Text { return say.T("a."+string(word(c)), nil) }

// Kinds is the caller's kind in a row of words: "Lambda", "the command line".
func Kinds(c event.Caller) say.Text { return say.T("callers."+string(word(c)), nil) }

// word is what a caller is called by: unknown where it has no word.
func word(c event.Caller) event.Caller {
	if c == "" || !slices.Contains(classes, c) {
		return event.CallerUnknown
	}
	return c
}

// Prod tells whether the secret is one of production, by its name.
func Prod(s *watch.Secret) bool {
	return slices.ContainsFunc(strings.FieldsFunc(strings.ToLower(s.Name), func(c rune) bool { return c < 'a' || c > 'z' }), func(w string) bool {
		return w == "prod" || w == "production" || w == "prd" || w == "live"
	})
}

// common are words that say nothing about which application something is of.
var common = map[string]bool{}

func init() {
	for _, w := range strings.Fields(`role roles task tasks execution exec service services svc app apps lambda ecs ec2 eks fn func function
		worker workers web api job jobs server agent backend frontend batch cron sync
		prod production stg stage staging dev test qa nonprod sandbox blue green new old the and for aws iam user workload instance profile
		secret secrets db database password passwd pass key keys token api credentials creds config v1 v2 v3 main primary
		east west north south central eu us ap arn params parameter parameters alias policy`) {
		common[w] = true
	}
}

// Words are the words of a name that tell applications apart.
func Words(name string) []string {
	var words []string
	for _, w := range strings.FieldsFunc(strings.ToLower(name), func(c rune) bool { return (c < 'a' || c > 'z') && (c < '0' || c > '9') }) {
		if len(w) < 3 || common[w] || strings.Trim(w, "0123456789") == "" || slices.Contains(words, w) {
			continue
		}
		words = append(words, w)
	}
	return words
}

// Alike tells whether two names have a telling word in common that is at least
// half of what either says.
func Alike(a, b []string) bool {
	shared := 0
	for _, w := range a {
		if slices.Contains(b, w) {
			shared++
		}
	}
	return shared > 0 && 2*shared >= min(len(a), len(b))
}

// Vocabulary learns which words say nothing in this estate: those in the names of
// the readers of many families.
type Vocabulary struct {
	of map[string][]string // families by word, at most everywhere
}

const (
	everywhere = 5 // families whose readers share a word that says nothing
	wordsCap   = 20000
)

// Take takes in that a reader of such a name reads the family, of whatever
// account and environment.
func (v *Vocabulary) Take(reader, family string) {
	if v.of == nil {
		v.of = map[string][]string{}
	}
	key := strings.Join(Words(family), " ")
	for _, w := range Words(reader) {
		list, ok := v.of[w]
		if len(list) >= everywhere || slices.Contains(list, key) || !ok && len(v.of) >= wordsCap {
			continue
		}
		v.of[w] = append(slices.Clip(list), key)
	}
}

// Words are those of the name that say something in this estate.
func (v *Vocabulary) Words(name string) []string {
	return slices.DeleteFunc(Words(name), func(w string) bool { return len(v.of[w]) >= everywhere })
}

// Clone is a copy of its own.
func (v *Vocabulary) Clone() Vocabulary { return Vocabulary{of: maps.Clone(v.of)} }

// Bytes is about how much memory the words take.
func (v *Vocabulary) Bytes() int {
	n := 0
	for w, list := range v.of {
		n += 48 + len(w) + 32*len(list)
	}
	return n
}

// Homes tell the secret under which one is known that is the same secret in several
// regions: replicas have its name in its account.
type Homes struct {
	taken int             // secrets below are known
	other map[int32]int32 // those that are not their own home
	first table.Index     // those that are, and may have replicas
}

// Of is the number of the secret, or of the one seen first that has its name in
// its account. Secrets that were not taken in yet are looked up by name.
func (h *Homes) Of(names *watch.Names, secret int32) int32 {
	if int(secret) < h.taken {
		if home, ok := h.other[secret]; ok {
			return home
		}
		return secret
	}
	if home := h.known(names, secret); home >= 0 {
		return home
	}
	return secret
}

// known is the one seen first that has the secret's name in its account, or -1.
func (h *Homes) known(names *watch.Names, secret int32) int32 {
	id := sameAs(&names.Secrets[secret])
	if id == 0 || h.first.Len() == 0 {
		return -1
	}
	return h.first.Find(id, func(i int32) bool { return sameAs(&names.Secrets[i]) == id })
}

// sameAs is a hash of what replicas of a secret have in common, or 0: keys have
// replicas only if they say so, and a parameter of that name in another region is
// another one.
func sameAs(s *watch.Secret) uint64 {
	if s.Name == "" || s.Key && !strings.HasPrefix(s.Name, "mrk-") || strings.Contains(s.UID, ":ssm:") {
		return 0
	}
	sort := "secret\x00"
	if s.Key {
		sort = "key\x00"
	}
	return xxhash.Sum64String(sort + s.Account + "\x00" + s.Name)
}

// Take makes secrets known that are new in names.
func (h *Homes) Take(names *watch.Names) {
	for ; h.taken < len(names.Secrets); h.taken++ {
		n := int32(h.taken)
		if home := h.known(names, n); home >= 0 {
			if h.other == nil {
				h.other = map[int32]int32{}
			}
			h.other[n] = home
		} else if sameAs(&names.Secrets[n]) != 0 {
			h.first.Add(n, func(i int32) uint64 { return sameAs(&names.Secrets[i]) })
		}
	}
}

// Bytes is about how much memory the homes take.
func (h *Homes) Bytes() int { return h.first.Bytes() + 20*len(h.other) }

// FamilyName is the name of the secret's family, without its account.
func FamilyName(s *watch.Secret) string {
	if s.Key {
		return s.Name
	}
	name := strings.TrimLeft(strings.TrimPrefix(s.Family, s.Account), " /")
	if name == "" {
		return s.Name
	}
	return name
}

// Clone is a copy of its own.
func (h *Homes) Clone() Homes {
	return Homes{taken: h.taken, other: maps.Clone(h.other), first: h.first.Clone()}
}
