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
