package triage

import (
	"testing"
	"time"

	"github.com/yagura-sec/yagura/decision"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/say"
)

// TestDecisionSaid: what is done to a decision is said in both languages, of the
// change itself and of the line that is kept of it in English alike.
func TestDecisionSaid(t *testing.T) {
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	items, err := decision.ParseTrigger("items:111122223333:AWS::EC2::Subnet>600000")
	if err != nil {
		t.Fatal(err)
	}
	d := decision.Decision{
		ID: "dec-1", Title: "Record subnets daily", Verdict: decision.Deferred, Reason: "the landing zone\nforbids it", Owner: "platform", Revisit: at.AddDate(0, 3, 0),
		About: []decision.Subject{{Kind: decision.Other, ID: "subnets"}}, Triggers: []decision.Trigger{items},
	}
	var old *decision.Decision
	is := func(en, ja string, c PreparedDecision, changed bool, err error) {
		t.Helper()
		if err != nil || !changed {
			t.Fatalf("changed %v: %v", changed, err)
		}
		said := DecisionSaid(&c.Change)
		line := finding.AuditLine{Action: c.Line.Action, Text: c.Line.Text}
		kept := line.Told()
		if said.String() != en || said.In(say.Japanese) != ja || kept.String() != en || kept.In(say.Japanese) != ja {
			t.Errorf("it is said %q, %q, and kept as %q, %q; want %q, %q", said, said.In(say.Japanese), kept, kept.In(say.Japanese), en, ja)
		}
		kept2 := c.After.Copy()
		old, d = &kept2, c.After.Copy()
	}
	put := func(en, ja, note string) {
		t.Helper()
		c, changed, err := PrepareStanding(d, old, Edit{By: "ann", At: at, Note: note})
		is(en, ja, c, changed, err)
	}
	put("deferred: Record subnets daily; owner platform; reason the landing zone forbids it; revisit 2027-02-22; when items:111122223333:AWS::EC2::Subnet>600000; note first",
		"保留: Record subnets daily; 所有者: platform; 理由: the landing zone forbids it; 再検討日: 2027-02-22; 再検討の条件: items:111122223333:AWS::EC2::Subnet>600000; 備考: first", "first")
	d.Asked = []decision.Inquiry{{Vendor: "AWS", Case: "17", Question: "May it be changed?", At: at, By: "ann"}}
	put("deferred: Record subnets daily; asked AWS 17: May it be changed?", "保留: Record subnets daily; AWS 17 への質問: May it be changed?", "")
	d.Asked[0].Answers = []decision.Answer{{Text: "No: not yet", At: at, By: "ann"}}
	put("deferred: Record subnets daily; answered by AWS 17: No: not yet", "保留: Record subnets daily; AWS 17 からの回答: No: not yet", "")
	c, changed, err := PrepareReopening(*old, []decision.Reopening{{Trigger: items, Value: "612000", At: at}, {Trigger: decision.Trigger{Kind: decision.OnDate, Day: old.Revisit}, At: at}}, Edit{By: "yagura", At: at})
	is("deferred: Record subnets daily; reopened by items:111122223333:AWS::EC2::Subnet>600000, which was 612000; reopened by date:2027-02-22",
		"保留: Record subnets daily; 再検討の条件が成立: items:111122223333:AWS::EC2::Subnet>600000(値: 612000); 再検討の条件が成立: date:2027-02-22", c, changed, err)
	d.Verdict, d.Triggers, d.Revisit = decision.Taken, nil, time.Time{}
	put("taken: Record subnets daily; note it is allowed; owner nobody", "実施: Record subnets daily; 備考: it is allowed; owner nobody", "it is allowed; owner nobody")
	d.Verdict, d.Reason = decision.Rejected, "later"
	put("rejected: Record subnets daily; reason later", "見送り: Record subnets daily; 理由: later", "")
}
