package triage

import (
	"testing"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/register"
	"github.com/yagura-sec/yagura/say"
)

// What audit lines are made of here is known again, to be told in other languages.
func TestLinesAreTold(t *testing.T) {
	at := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	f := func(l finding.AuditLine, want string) {
		t.Helper()
		if told := l.Told(); told.In(say.Japanese) != want {
			t.Errorf("%q is told as %q, want %q", l.Text, told.In(say.Japanese), want)
		}
	}
	f(DecisionLine("k", finding.Decision{By: "mei", At: at, Status: finding.Resolved, Verdict: finding.Expected, Reason: "planned_change", Cause: finding.CauseDeploy, Assignee: "mei", Comment: "see; there"}),
		"状態: 解決済み; 判定: 想定内; 理由: 計画された変更; 原因: デプロイ; 担当者: mei; コメント: see; there")
	f(DecisionLine("k", finding.Decision{By: "mei", At: at, Undoes: "d1", Group: "g1"}), "取り消した判断: d1; 一括: g1")
	f(StageLine(finding.Stage{Rule: "r", By: "mei", State: finding.Staged, Days: 7}, at), "7 日間の試行を開始")
	f(StageLine(finding.Stage{Rule: "r", By: "mei", State: finding.Promoted, Comment: "good"}, at), "採用; good")
	f(ImportLine(Edit{By: "mei", At: at, File: "list.csv"}, Edited{New: 1, Same: 2}), "list.csv の取り込み: 追加 1 件、変更 0 件、変更なし 2 件")
	was := register.Entry{Project: "kite", Provider: "gcp", Owner: "mei", Applicant: "kei", Services: []register.Service{{ID: "a"}}}
	removed, err := PrepareRemoval(was, Edit{By: "mei", At: at, File: "list.csv"})
	if err != nil {
		t.Fatal(err)
	}
	f(removed.Line, "所有者: mei; 申請者: kei; 削除: a; list.csv の取り込み")
}
