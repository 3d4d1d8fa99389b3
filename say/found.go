package say

// found is what package finding says of every finding.
var found = texts{
	"finding.latest":   {"latest of {n} events: {said}", "{n} 件のイベントのうち最新: {said}"},
	"finding.reopened": {"Seen again at {seen:rfc}, after {by} resolved it at {at:rfc}.", "{by} が {at:rfc} に解決した後、{seen:rfc} に再び検出。"},

	"severity.critical":      {"critical", "重大"},
	"severity.high":          {"high", "高"},
	"severity.medium":        {"medium", "中"},
	"severity.low":           {"low", "低"},
	"severity.informational": {"informational", "情報"},

	"criticality.critical": {"critical", "最重要"},
	"criticality.high":     {"high", "高"},
	"criticality.medium":   {"medium", "中"},
	"criticality.low":      {"low", "低"},

	"exposure.public":   {"public", "公開"},
	"exposure.shared":   {"shared", "他アカウントと共有"},
	"exposure.internal": {"internal", "アカウント内のみ"},

	"part.severity":            {"severity {severity}", "深刻度: {severity}"},
	"part.severity.unknown":    {"severity \"{severity}\" is unknown, counted as medium", "深刻度「{severity}」は不明な値のため「中」として計算"},
	"part.confidence":          {"the detector is {share:percent} sure", "検出の確信度 {share:percent}"},
	"part.explained":           {"accounted for: {by}", "説明あり: {by}"},
	"part.unassessed":          {"not assessed, counted in full", "未評価のため最大値で計算"},
	"part.criticality":         {"criticality {criticality}", "重要度: {criticality}"},
	"part.environment":         {"{environment}, criticality {criticality}", "{environment}、重要度: {criticality}"},
	"part.environment.unknown": {"{environment}: how critical that is was not said, counted in full", "{environment}: 重要度の指定がないため最大値で計算"},
	"part.reach": {"the principal uses {secrets} {secrets|secret or key|secrets and keys} in {accounts} {accounts|account|accounts}",
		"このプリンシパルは {accounts} アカウントで {secrets} 個のシークレットと鍵を使用"},
	"part.exposure":     {"the resource is {exposure}", "リソースの公開範囲: {exposure}"},
	"part.exposure.why": {"the resource is {exposure}: {why}", "リソースの公開範囲: {exposure}({why})"},

	"related.names_it":       {"{product} names it", "{product} の検出がこれを参照"},
	"related.names_this":     {"{product} names this one", "{product} からこの検出への参照あり"},
	"related.configuration":  {"both check how {resource} is configured", "どちらも {resource} の設定を確認"},
	"related.actor_resource": {"the same principal and resource at about the same time", "ほぼ同時刻に同じプリンシパルとリソース"},
	"related.actor":          {"the same principal at about the same time", "ほぼ同時刻に同じプリンシパル"},
	"related.technique":      {"both tell of {technique} on the same resource at about the same time", "ほぼ同時刻に同じリソースで、どちらも {technique}"},
}

// similar says in what findings are alike.
var similar = texts{
	"similar.rule.actor_resource": {"of the same rule, the same principal and resource", "同じルール、同じプリンシパルとリソース"},
	"similar.rule.actor":          {"of the same rule and the same principal", "同じルール、同じプリンシパル"},
	"similar.rule.resource":       {"of the same rule and the same resource", "同じルール、同じリソース"},
	"similar.rule.account":        {"of the same rule in the same account", "同じルール、同じアカウント"},
	"similar.rule.rule":           {"of the same rule", "同じルール"},
	"similar.kind.actor_resource": {"of the same kind, the same principal and resource", "同じ種類、同じプリンシパルとリソース"},
	"similar.kind.actor":          {"of the same kind and the same principal", "同じ種類、同じプリンシパル"},
	"similar.kind.resource":       {"of the same kind and the same resource", "同じ種類、同じリソース"},
	"similar.kind.account":        {"of the same kind in the same account", "同じ種類、同じアカウント"},
	"similar.kind.rule":           {"of the same kind", "同じ種類"},
}
