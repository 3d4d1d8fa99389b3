package say

// who is what is said of who probably made calls that nobody's name is on.
var who = texts{
	"who.one":          {"is one of {n} {n|person|people} in the logs of that time", "その時間帯のログに現れる {n} 人のうちの 1 人"},
	"who.behind":       {"is one of {n} {n|person|people} seen behind {addresses}", "{addresses} を使う {n} 人のうちの 1 人"},
	"who.behind.only":  {"is the only person seen behind {addresses}", "{addresses} を使うのは本人のみ"},
	"who.elsewhere":    {"never seen behind {addresses}", "{addresses} からの活動は記録にない"},
	"who.client":       {"uses the very client the calls came from, as do {n} of {of}", "呼び出しと同じクライアントを使用({of} 人中 {n} 人が該当)"},
	"who.client.other": {"is seen there with other clients only", "そのアドレスでは別のクライアントのみ使用"},
	"who.login":        {"signed in from {addresses} in the hours before, as did {n} of {of}", "直前の数時間に {addresses} からサインイン({of} 人中 {n} 人が該当)"},
	"who.project":      {"works in {project}, as do {n} of {of}", "{project} で作業している({of} 人中 {n} 人が該当)"},
	"who.stranger":     {"does nothing else in {project}", "{project} でほかの活動がない"},
	"who.calls":        {"called something in {project} around {n} of {of} {of|burst|bursts}", "{of} 回の集中のうち {n} 回で、前後に {project} での呼び出しがある"},
	"who.operation":    {"is named in another record of the same operation", "同じ操作の別の記録に名前がある"},
	"who.asked":        {"asked for it: {operation} of {service} at {at:clock} UTC, before {n} of {of} {of|attempt|attempts}{shown}", "{at:clock} UTC に {service} の {operation} を実行しており、その結果と推定({of} 件の拒否のうち {n} 件){shown}"},
	"who.shown":        {"; the search shows the first {n} of {of} records", "。検索が示すのは {of} 件のうち最初の {n} 件"},
	"who.telling":      {"had the page of {project} open on which it is asked for at {n} of {of} {of|attempt|attempts}, and opened one at once after {prompt}, as the proxy saw{shown}", "{of} 件のうち {n} 件の拒否の時刻に、本人の端末が {project} の該当する作成画面を表示し、{prompt} 件では拒否の直後にページを開いた(プロキシの記録){shown}"},
	"who.pages":        {"was at the provider's console on their device at {n} of {of} {of|attempt|attempts}, at {named} of them on a page of {project}, and opened one at once after {prompt}, as the proxy saw{shown}", "{of} 件のうち {n} 件の拒否の時刻に、本人の端末がクラウドのコンソールを表示し、うち {named} 件は {project} のページ、{prompt} 件では拒否の直後にページを開いた(プロキシの記録){shown}"},
	"who.console":      {"was at the provider's console on their device at {n} of {of} {of|attempt|attempts}, and opened something at once after {prompt}, as the proxy saw{shown}", "{of} 件のうち {n} 件の拒否の時刻に、本人の端末がクラウドのコンソールに接続し、{prompt} 件では拒否の直後に接続した(プロキシの記録){shown}"},
}
