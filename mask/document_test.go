package mask

import (
	"strings"
	"testing"
)

// TestDocument: who is named in a document is masked in all of it, whatever the name,
// and in no other.
func TestDocument(t *testing.T) {
	m := masker(t)
	d := m.Document([]string{"root", "ann (admin)", "Dean Finch <dean@corp.example>", "al", "林", "İlker", "김철수", "_svc_backup", "arn:aws:iam::111122223333:user/mia", "---", ""}, []string{"test", " "})
	f := func(in, want string) {
		t.Helper()
		if got := d.Text(in); got != want {
			t.Errorf("%s\n became %s\n    want %s", in, got, want)
		}
	}
	f("Root asked; rooted and uproot stay.", m.Person("root")+" asked; rooted and uproot stay.")
	f("rootが判断した", m.Person("root")+"が判断した")
	f("ann (admin)", m.Person("ann")+" ("+m.Person("admin")+")")
	f("Ann or the admin", m.Person("ann")+" or the "+m.Person("admin"))
	f("dean finch wrote from dean@corp.example", m.Person("Dean Finch")+" wrote from "+m.Person("dean@corp.example"))
	f("Al and 林さん", m.Person("al")+" and "+m.Person("林")+"さん")
	f("İlker, 김철수가", m.Person("İlker")+", "+m.Person("김철수")+"가")
	f("_svc_backup", "_"+m.Person("svc_backup"))
	f("mia in test", m.Person("mia")+" in "+m.Project("test"))
	f("al", m.Person("al"))
	f("", "")
	if got := m.Text("root of test"); got != "root of test" {
		t.Errorf("elsewhere it says %s", got)
	}
}

// FuzzDocument: no name stays as it is, whatever it is.
func FuzzDocument(f *testing.F) {
	f.Add("root", "asked by ", " today")
	f.Add("佐藤", "担当は", "です")
	f.Add("O'Brien (ops)", "", "")
	f.Fuzz(func(t *testing.T, name, before, after string) {
		if strings.ContainsAny(name, "@0123456789") || fromWord(name) != name || name == "" || strings.HasPrefix(name, "arn:") {
			return // an address or a number is another thing with what is before it
		}
		d := masker(t).Document([]string{name}, nil)
		if d.Text(name) == name {
			t.Errorf("%q stays", name)
		}
		d.Text(before + name + after) // and nothing breaks it
	})
}
