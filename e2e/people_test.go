package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// person is a browser before the server.
type person struct {
	*server
	client http.Client
}

func (s *server) person() *person {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &person{s, http.Client{Jar: jar}}
}

// want asks as a page of ours does, and gives the answer's body.
func (p *person) want(status int, method, path, body string) string {
	p.t.Helper()
	r, err := http.NewRequest(method, p.url+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Origin", p.url)
	r.Header.Set("X-Yagura", "1")
	r.Header.Set("Content-Type", "application/json")
	got, err := p.client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil || got.StatusCode != status {
		p.t.Errorf("%s %s: %d %s, %v; want %d", method, path, got.StatusCode, text, err, status)
	}
	return string(text)
}

// TestPeople: from a link of the machine to a session, and to its end from the
// machine while the server runs. A restart signs nobody out.
func TestPeople(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	people := func(args ...string) string {
		t.Helper()
		out, err := exec.Command(binary, append([]string{"--data", data, "people"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("people %q: %v: %s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	s := serve(t, data, t.TempDir())
	link := people("link")
	address, secret, _ := strings.Cut(link, "#link=")
	if address != s.url+"/first-run" {
		t.Fatalf("the link is %s, served is %s", link, s.url)
	}
	alice := s.person()
	alice.want(401, "GET", "/api/findings", "")
	first := `{"link":"` + secret + `","user":"alice","password":"correct horse battery"}`
	alice.want(200, "POST", "/api/first-run", first)
	s.person().want(410, "POST", "/api/first-run", first)
	alice.want(200, "GET", "/api/findings", "")

	_, secret, _ = strings.Cut(people("add", "bob"), "#link=")
	bob := s.person()
	bob.want(200, "POST", "/api/signin/link", `{"link":"`+secret+`","password":"another good one"}`)
	bob.want(403, "GET", "/api/users", "")
	people("change", "bob", "--role", "admin")
	if got := bob.want(200, "GET", "/api/users", ""); !strings.Contains(got, "bob") || strings.Contains(got, "argon2") {
		t.Errorf("%s", got)
	}
	people("change", "bob", "--disable")
	bob.want(401, "GET", "/api/session", "")

	token := people("token", "make", "ci", "--scopes", "search")
	bearer := func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
	for path, want := range map[string]int{"/api/search": 200, "/api/findings": 403, "/metrics": 403} {
		if got, body := s.ask(path, bearer); got != want {
			t.Errorf("a token for searching asks %s: %d %.200s", path, got, body)
		}
	}
	var lines struct {
		Lines []struct{ By, Action, Subject string }
	}
	decode(t, []byte(alice.want(200, "GET", "/api/audit", "")), &lines)
	told, err := json.Marshal(lines.Lines)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{"By":"alice","Action":"user.add","Subject":"alice"}`, `{"By":"local","Action":"user.add","Subject":"bob"}`,
		`{"By":"bob","Action":"session.begin","Subject":"bob"}`, `{"By":"local","Action":"token.make"`,
	} {
		if !strings.Contains(string(told), want) {
			t.Errorf("the audit trail lacks %s: %s", want, told)
		}
	}
	s.stop()

	again := serveWith(t, data, strings.TrimPrefix(s.url, "http://"), "")
	alice.server = again
	alice.want(200, "GET", "/api/session", "")
	alice.want(204, "POST", "/api/signout", "")
	alice.want(401, "GET", "/api/session", "")
}
