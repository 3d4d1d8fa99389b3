package say

// decisions is said of decisions that wait.
var decisions = texts{
	"decision.when.date":   {"on {day:iso}", "{day:iso} になったとき"},
	"decision.when.news":   {"when there is news of {words}", "「{words}」に関するニュースが出たとき"},
	"decision.when.number": {"when {what} {above|is above|is below} {limit}", "{what}が {limit} を{above|超えた|下回った}とき"},
	"decision.any_account": {"any account", "いずれかのアカウント"},
	"decision.items":       {"the number of configuration items of {of} in {account} in 30 days", "{of} の設定項目数({account}、30 日間)"},
	"decision.operations":  {"the number of {of} calls in {account} on the busiest of the last 7 days", "{of} の 1 日の呼び出し回数({account}、直近 7 日間の最大)"},
	"decision.findings":    {"the number of open findings of {of}", "{of} の未対応の検出件数"},
	"decision.price":       {"the price of {of}", "{of} の単価"},
	"decision.saving":      {"the saving a month of {of}", "{of} の月間削減額"},
	"decision.saving.own":  {"the saving a month of what it is about", "対象の月間削減額"},
	"decision.unread":      {"It is not known: {what}.", "不明: {what}。"},
	"decision.unread.log":  {"The log has nothing of the last {days} days: nobody would see it happen.", "直近 {days} 日間のログがないため、確認できない。"},
	"decision.unread.news": {"News is not read yet: nothing will reopen it by this.", "ニュースの取り込みは未対応のため、この条件では再開されない。"},
	"decision.due.date":    {"{day:iso}, the day to look at it again, has come.", "再検討日({day:iso})を迎えた。"},
	"decision.due.number":  {"On {at:iso} {what} was {value}, {above|above|below} {limit}.", "{at:iso} 時点の値は {value} で、{limit} を{above|超えた|下回った}: {what}。"},
}
