package match_test

import "testing"

// What YAML reads as a number is one, in all the ways that YAML 1.1 writes them.
func TestNumbersOfYAML(t *testing.T) {
	decide(t, `{f: 1_000}`, some(`{"f":1000}`, `{"f":"1000"}`), some(`{"f":"1_000"}`))
	decide(t, `{f: 0b101}`, some(`{"f":5}`), some(`{"f":"0b101"}`, `{"f":101}`))
	decide(t, `{f: 0x1f}`, some(`{"f":31}`), some(`{"f":"0x1f"}`))
	decide(t, `{f: 0o10}`, some(`{"f":8}`), some(`{"f":"0o10"}`))
	decide(t, `{f: 010}`, some(`{"f":10}`), some(`{"f":8}`)) // YAML 1.1 would have it octal
	decide(t, `{f: '1_000'}`, some(`{"f":"1_000"}`), some(`{"f":1000}`))
}

// yes is text to YAML 1.2 and true to YAML 1.1: nobody needs to know which.
func TestExistsTakesTrueAndFalse(t *testing.T) {
	for _, v := range []string{"yes", "'no'", "on", "1", "null", "'true '"} {
		refuses(t, `{f|exists: `+v+`}`, "exists")
	}
	decide(t, `{f|exists: True}`, some(`{"f":1}`), some(`{}`))
}

func TestBase64IgnoresCase(t *testing.T) {
	decide(t, `{f|base64: mutiny}`, some(`{"f":"bXV0aW55"}`, `{"f":"BXv0AW55"}`), some(`{"f":"mutiny"}`))
	decide(t, `{f|base64|cased: mutiny}`, some(`{"f":"bXV0aW55"}`), some(`{"f":"BXv0AW55"}`))
}
