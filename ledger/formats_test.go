package ledger

import "testing"

func TestAlike(t *testing.T) {
	f := func(reason, want string) {
		t.Helper()
		if got := alike(reason); got != want {
			t.Errorf("%q is taken as %q, want %q", reason, got, want)
		}
	}
	const conflict = "conflict: record … of … has the uid … of record … of …, but says something else"
	f("conflict: record 7 of logs/2026/a, b.json has the uid ee702af6-14be-453d-a20a-b2f24cd0f222 of record 12 of s3://kite/x of y, but says something else", conflict)
	f("the record is 120 bytes long", "the record is … bytes long")
	f(`its time 2026-03-01T09:00:00Z is before 2006: a wrong unit`, "its time … is before …: a wrong unit")
	f(`field "a \"b\"" is 'x'`, "field … is …")
	f("a record of Zeek's log x509; Yagura does not read these yet", "a record of Zeek's log x509; Yagura does not read these yet")
}
