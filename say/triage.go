package say

// cause is what is said of what probably brought a finding about.
var cause = texts{
	"cause.unknown":   {"Nothing in the log around it shows what brought it about.", "前後のログに原因を示すものはない。"},
	"cause.told":      {"{operation} by {who} at {at:clock}", "{at:clock} に {who} が {operation}"},
	"cause.before":    {"{span:length} before", "{span:length}前"},
	"cause.after":     {"{span:length} after", "{span:length}後"},
	"cause.minute":    {"in the same minute", "同じ分の内"},
	"cause.planned":   {"It falls into planned work: {work}.", "計画作業の範囲内: {work}。"},
	"cause.context":   {"The log itself accounts for it: {why}.", "ログから説明可能: {why}。"},
	"cause.deploy":    {"Something was deployed: {told}, {apart}.", "デプロイあり: {told}({apart})。"},
	"cause.attack":    {"{said:Clause}.", "{said:Clause}。"},
	"cause.technique": {"it is a known technique ({technique}) of severity {severity}", "既知の攻撃手法({technique})で、深刻度は「{severity}」"},
	"cause.covering":  {"the same principal did what gains rights or hides: {told}", "同じプリンシパルが権限の獲得や隠蔽にあたる操作を実行: {told}"},
	"cause.refused":   {"{n} calls of the principal were refused around it", "前後にこのプリンシパルの呼び出しが {n} 回拒否されている"},
	"cause.product":   {"{product} says so too", "{product} も同様に検出"},
	"cause.addresses": {"the session came from {n} addresses", "セッションの接続元アドレスが {n} 個"},
	"cause.provider":  {"{n} of {all} events were made by a service of the provider: {service}.", "イベント {all} 件のうち {n} 件はプロバイダーのサービスによるもの: {service}。"},
	"cause.person":    {"{who} acted.", "{who} による操作。"},
	"cause.hand":      {"{who} acted by hand, {how}: {told}.", "{who} による{how}手動操作: {told}。"},
	"cause.console":   {"in the console", "コンソールからの"},
	"cause.cli":       {"by the command line", "コマンドラインからの"},
	"cause.drift":     {"The resource is as it is without a change of it in the log around: it became so over time, or was made so.", "前後のログにリソースの変更はなく、時間とともに、または当初からこの状態になっている。"},
}

// proposal is said of what could be an exception or a window.
var proposal = texts{
	"proposal.exception": {"{n} findings of this shape were expected, the latest on {latest:iso}; none was anything else that matters.", "この形の検出 {n} 件は「想定内」と判定され(最新 {latest:iso})、ほかに問題となるものはない。"},
	"proposal.window":    {"{n} findings came {every} between {from} and {to} ({zone}), {turns} times: work that repeats looks like that.", "{every} {from}〜{to}({zone})に検出が {n} 件、{turns} 回繰り返されている: 定期作業に典型的。"},
	"proposal.title":     {"{title}, {every}", "{title}({every})"},
	"every.day":          {"every day", "毎日"},
	"every.week":         {"every {day:dayname}", "毎週{day:dayname}"},
	"every.month":        {"on day {day} of every month", "毎月 {day} 日"},
}

// tuning is advice about rules and products.
var tuning = texts{
	"tuning.few":       {"{n} verdicts: too few to say how good it is.", "判定 {n} 件: 評価するには少なすぎる。"},
	"tuning.retire":    {"{n} of {all} decided findings were false positives, and none was right: retire it, or put it on trial.", "判定済み {all} 件のうち {n} 件が誤検知で、正しいものはない: 廃止するか試用に戻す。"},
	"tuning.data":      {"{n} of {all} decided findings were false positives, most for wrong data: look at what the log says.", "判定済み {all} 件のうち {n} 件が誤検知で、大半はデータの誤り: ログの内容を確認する。"},
	"tuning.narrow":    {"{n} of {all} decided findings were false positives: narrow it, or lower its level.", "判定済み {all} 件のうち {n} 件が誤検知: 条件を絞るか、レベルを下げる。"},
	"tuning.exception": {"{n} of {all} decided findings were expected: an exception or a window would say so.", "判定済み {all} 件のうち {n} 件が想定内: 例外か作業時間帯の登録を検討する。"},
	"tuning.keep":      {"{n} of {all} decided findings were false positives: it is worth reading.", "判定済み {all} 件のうち {n} 件が誤検知: 有用なルール。"},
}

// window is said of what happened in planned work.
var window = texts{
	"window.summary": {"{title} {when}: it explains {explained} findings, and {beside} more in its accounts and time are explained by nothing.", "{title}({when}): 検出 {explained} 件を説明。同じアカウントと時間帯で説明のない検出がほかに {beside} 件。"},
	"window.waiting": {"has not begun", "開始前"},
	"window.ended":   {"ended {at:stamp} UTC after {span:length}", "{at:stamp} UTC 終了、所要 {span:length}"},
	"window.open":    {"is open until {at:stamp} UTC", "{at:stamp} UTC まで実施中"},
}
