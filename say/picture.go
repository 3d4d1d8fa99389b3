package say

// pictures is what stands in pictures of cost.
var pictures = texts{
	"picture.shares":            {"What security services cost, {month}", "セキュリティサービスの費用({month})"},
	"picture.shares.none":       {"What security services cost", "セキュリティサービスの費用"},
	"picture.shares.below":      {"{amount} in all; parts are of that", "合計 {amount}(割合はこの金額に対するもの)"},
	"picture.shares.of":         {"{amount} of a bill of {total}: {share}. Parts below are of the {amount}", "請求総額 {total} のうち {amount}({share})。以下の割合は {amount} に対するもの"},
	"picture.others":            {"{n} {n|other|others}", "その他 {n} 件"},
	"picture.nothing":           {"There is nothing to show.", "表示するデータがない。"},
	"picture.changes":           {"Changes a day in account {account}", "アカウント {account} の 1 日あたりの変更"},
	"picture.changes.below":     {"{n} in {days} {days|day|days}, at most {most} on one", "{days} 日間で {n} 件、1 日の最大は {most} 件"},
	"picture.changes.unknown":   {"?: what happened on the day is not wholly known.", "?: その日の件数は一部不明。"},
	"picture.breakeven":         {"Continuous or daily recording, by resource type", "リソースタイプごとの継続的記録と日次記録の比較"},
	"picture.breakeven.below":   {"Configuration items per changed resource and day; daily recording is cheaper above {at}", "変更のあったリソース 1 日あたりの設定項目数。{at} を超えると日次記録のほうが安い"},
	"picture.breakeven.saving":  {"saving a month", "月間削減額"},
	"picture.breakeven.cannot":  {"cannot be daily", "日次にできない"},
	"picture.breakeven.against": {"Amber: possible, and not advised.", "橙色: 可能だが推奨しない。"},
	"picture.breakeven.more":    {"{n} more {n|type|types} that save less {n|is|are} not shown.", "削減額の小さい {n} 件は省略。"},
}
