package say

// external is what is said of findings of other products. Their own words stay
// theirs.
var external = texts{
	"external.says":             {"{product} says: {said}", "{product}: {said}"},
	"external.via":              {"It came through {via}", "{via} 経由で受信"},
	"external.severity.passing": {"The check passes or does not apply, so it is informational here", "チェックは合格または対象外のため、ここでは「情報」"},
	"external.severity.unknown": {"{product} gives no severity; it is counted as medium until somebody looks", "{product} の深刻度がないため、確認されるまで「中」として扱う"},
	"external.severity.none":    {"{product} gives no severity of its own; by what it found it is {severity} here", "{product} 独自の深刻度はなく、検出内容からここでは「{severity}」"},
	"external.severity":         {"{product} rates it {level}, which is {severity} here", "{product} の深刻度は {level}、ここでは「{severity}」"},

	"external.status.nothing":    {"nothing about its status", "状態の記載なし"},
	"external.status.suppressed": {"It was suppressed at {by} ({said}), and comes in so", "{by} で抑制済み({said})のため、抑制済みとして取り込み"},
	"external.status.closed":     {"It is closed at {by} ({said}), and comes in so", "{by} でクローズ済み({said})のため、解決済みとして取り込み"},
	"external.status.progress":   {"It is being worked on at {by} ({said})", "{by} で対応中({said})"},
	"external.status.open":       {"It is open at {by} ({said})", "{by} で未対応({said})"},

	"external.seen":          {"{product} saw it{times}{first}{last}", "{product} による検出:{times}{first}{last}"},
	"external.seen.times":    {" {n} times", " {n} 回"},
	"external.seen.first":    {" first at {at:rfc}", " 初回 {at:rfc}"},
	"external.seen.last":     {" last at {at:rfc}", " 最終 {at:rfc}"},
	"external.check":         {"Check {check}: {verdict}", "チェック {check}: {verdict}"},
	"external.check.of":      {"Check {check}: {verdict}, of {standards}", "チェック {check}: {verdict}(基準: {standards})"},
	"external.check.unnamed": {"without a name", "(名前なし)"},
	"external.cve":           {"It is about {cve}", "対象の脆弱性: {cve}"},
	"external.whom":          {"It was done by {who}{key}{from}", "実行者: {who}{key}{from}"},
	"external.whom.key":      {" with the key {key}", "(アクセスキー {key})"},
	"external.whom.from":     {" from {address}", "、接続元: {address}"},
	"external.resources":     {"It names {n} resources, besides {first} also {others}", "対象リソース {n} 個: {first}、{others}"},
	"external.related":       {"{product} names {n} findings that belong to it", "{product} が関連する検出 {n} 件を挙げている"},
	"external.sample":        {"{product} made this finding up as a sample.", "{product} がサンプルとして生成した検出。"},

	// Why a product's finding is not folded into another of the same trouble.
	"apart.severe":      {"{product} says {severity}, {other} says {less}.", "{product} は「{severity}」、{other} は「{less}」としている。"},
	"apart.resource":    {"It is about {resource} too, of which {other} says nothing.", "{other} が触れていない {resource} にも関わる。"},
	"apart.again":       {"{product} saw it at {at:rfc}, after the other was decided at {decided:rfc}.", "{product} が {at:rfc} に確認。もう一方が判断された {decided:rfc} より後。"},
	"apart.unexplained": {"What accounts for the other does not account for this: {why}", "もう一方を説明するものでは説明できない: {why}"},
}
