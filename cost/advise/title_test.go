package advise

import (
	"testing"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/say"
)

// TestTitles holds what each kind of advice is called, in both languages.
func TestTitles(t *testing.T) {
	f := func(a cost.Advice, en, ja string, key ...string) {
		t.Helper()
		a.Key = keyOf(a.Kind, key...)
		if got := titleOf(&a); got.String() != en || got.In(say.Japanese) != ja {
			t.Errorf("%s is called %q, %q", a.Key, got, got.In(say.Japanese))
		}
	}
	const account, arn = "111122223333", "arn:aws:kms:us-east-1:111122223333:key/1111aaaa"
	at := cost.Advice{Account: account, Region: "us-east-1", ResourceType: "AWS::EC2::Subnet"}
	of := func(kind string) cost.Advice { a := at; a.Kind = kind; return a }
	nowhere := func(kind string) cost.Advice { a := of(kind); a.Region = ""; return a }
	f(of(cost.AboutRecording), "Record AWS::EC2::Subnet daily in 111122223333 (us-east-1)", "111122223333(us-east-1) の AWS::EC2::Subnet を日次で記録する", account, "us-east-1", "AWS::EC2::Subnet")
	f(of(cost.AboutExclusion), "Leave AWS::EC2::Subnet out of recording in 111122223333 (us-east-1)", "111122223333(us-east-1) の AWS::EC2::Subnet を記録対象から外す", account, "us-east-1", "AWS::EC2::Subnet")
	f(of(cost.AboutTrail), "Stop further copies of management events in 111122223333 (us-east-1)", "111122223333(us-east-1) の管理イベントの余分なコピーをやめる", account, "us-east-1")
	f(of(cost.AboutAnalyzer), "Delete spare in 111122223333 (us-east-1), which analyses unused access a second time", "111122223333(us-east-1) で未使用アクセスを重複して分析している spare を削除する", account, "us-east-1", "spare")
	f(of(cost.AboutDetector), "Turn off S3 Protection of GuardDuty in 111122223333 (us-east-1)", "111122223333(us-east-1) の GuardDuty の S3 Protection を無効にする", account, "us-east-1", "S3_DATA_EVENTS")
	f(of(cost.AboutUnusedKey), "Delete the unused key "+arn, "未使用の鍵 "+arn+" を削除する", arn)
	f(nowhere(cost.AboutUnusedKey), "Find out which keys in 111122223333 nobody uses", "111122223333 の未使用の鍵を調べる", account)
	f(of(cost.AboutUnusedSecret), "Delete the unused secret x/y", "未使用のシークレット x/y を削除する", "x/y")
	f(nowhere(cost.AboutUnusedSecret), "Find out which secrets in 111122223333 nobody uses", "111122223333 の未使用のシークレットを調べる", account)
	f(nowhere(cost.AboutDataEvents), "Stop recording data events in 111122223333", "111122223333 のデータイベントの記録をやめる", account)
	f(of(cost.AboutChecks), "Turn off older versions of standards of Security Hub in 111122223333 (us-east-1)", "111122223333(us-east-1) で Security Hub の基準の旧版を無効にする", account, "us-east-1")
	for _, a := range Judge(story(t)) {
		if a.Title.Made() == "" {
			t.Errorf("%s is called %q in every language", a.Key, a.Title)
		}
	}
}
