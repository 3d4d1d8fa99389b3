package finding

import (
	"testing"

	"github.com/yagura-sec/yagura/say"
)

// What the program says in an audit line is told in both languages, and what people
// wrote stays theirs.
func TestAuditLineTold(t *testing.T) {
	f := func(action, text, ja string) {
		t.Helper()
		l := AuditLine{Action: action, Text: text}
		if told := l.Told(); told.String() != text || told.In(say.Japanese) != ja {
			t.Errorf("%s: %q is told as %q and %q, want %q", action, text, told, told.In(say.Japanese), ja)
		}
	}
	f("finding.decide", "status resolved; verdict expected; reason planned_change; comment status new; a; role admin", "状態: 解決済み; 判定: 想定内; 理由: 計画された変更; コメント: status new; a; role admin")
	f("finding.decide", "assignee mei", "担当者: mei")
	f("finding.decide", "reason of_ours", "理由: of_ours")
	f("user.add", "role admin; accounts 111122223333, 444455556666; disabled", "ロール: 管理者; アカウント: 111122223333, 444455556666; 無効")
	f("user.add", "the first admin; from 203.0.113.9", "最初の管理者; 接続元: 203.0.113.9")
	f("session.begin", "by password; from 203.0.113.9", "方法: パスワード; 接続元: 203.0.113.9")
	f("session.begin", "by corp; from 203.0.113.9", "方法: corp; 接続元: 203.0.113.9")
	f("session.end", "everywhere", "すべてのブラウザー")
	f("session.end", "", "")
	f("token.make", `"ci", role analyst, until 2026-03-02T00:00:00Z`, `"ci"、ロール: analyst、期限: 2026-03-02T00:00:00Z`)
	f("rule.stage", "staged for 7 days; to see", "7 日間の試行を開始; to see")
	f("register.import", "import of list.csv: 1 new, 0 changed, 12 as they were", "list.csv の取り込み: 追加 1 件、変更 0 件、変更なし 12 件")
	f("exception.create", "active: Nightly copy; account:111122223333; until 2026-03-02T00:00:00Z; owner mei; it is ours", "active: Nightly copy; account:111122223333; 期限: 2026-03-02T00:00:00Z; 所有者: mei; it is ours")
	// What is nobody's template is words of others.
	f("finding.write_back.done", "GuardDuty: archived; verdict expected of it", "GuardDuty: archived; verdict expected of it")
	f("unheard.of", "status resolved", "status resolved")
}

func FuzzAuditLineTold(f *testing.F) {
	f.Add("finding.decide", "status resolved; comment a; b")
	f.Add("finding.", "; ; ")
	f.Fuzz(func(t *testing.T, action, text string) {
		l := AuditLine{Action: action, Text: text}
		if told := l.Told().String(); told != text {
			t.Errorf("%q is told as %q", text, told)
		}
	})
}
