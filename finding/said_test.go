package finding

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/yagura-sec/yagura/say"
)

// TestKeep holds that a trouble comes back as it was kept, in every language, and
// that one of before sentences were kept with their values reads as it did.
func TestKeep(t *testing.T) {
	said := say.T("group.title", say.Values{"who": say.T("role", say.Values{"name": "app"}), "n": 2, "all": 5})
	all := Trouble{
		Key: "k", Kind: "anomaly.group", Severity: Medium, Reasons: []Reason{
			{Kind: "group", Text: said, Observed: say.Plain("2"), Expected: say.T("range", say.Values{"low": 0, "high": 3})}, {Kind: "note", Text: say.Plain("somebody's words")},
		},
		Explained: []Explanation{{"context", "deploy", say.T("timing.clock", nil)}, {"window", "w", say.Plain("Patching")}},
		Anomaly:   &Anomaly{Sign: SignGroup, Unseen: []say.Text{say.T("unseen.cut", nil)}},
	}
	all.Entitle(said)
	rule := Trouble{Key: "r", Kind: KindRule, Title: "Root signed in", Reasons: []Reason{{Kind: "match", Text: say.Plain("x")}}}
	for _, want := range []Trouble{all, rule} {
		text, err := want.Keep()
		if err != nil {
			t.Fatal(err)
		}
		var got Trouble
		if err := got.Recall(text); err != nil || !reflect.DeepEqual(got, want) || got.Told().In(say.Japanese) != want.Told().In(say.Japanese) {
			t.Errorf("%v: kept it is\n%+v\nwant\n%+v", err, got, want)
		}
	}
	before, err := json.Marshal(&all)
	if err != nil {
		t.Fatal(err)
	}
	var got Trouble
	if err := got.Recall(before); err != nil || got.Title != all.Title || got.Reasons[0].Text != say.Plain(said.String()) {
		t.Errorf("%v: of before it is %+v", err, got)
	}
	if err := got.Recall([]byte(`{"reasons":[],"said":["",""]}`)); err == nil {
		t.Error("more sentences than there are were taken")
	}
}
