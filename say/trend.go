package say

// trend is said of how the bill of security services moves.
var trend = texts{
	"trend.all":       {"all security services", "セキュリティサービス全体"},
	"trend.service":   {"{service:Upper}: {amount} in {month}{share}.{more:words}", "{service}: {month} は {amount}{share}。{more:words}"},
	"trend.share":     {", {share:percent1} of the bill", "(請求全体の {share:percent1})"},
	"trend.before":    {" {change} ({percent:percent1}) against the month before.", "前月比 {change}({percent:percent1})。"},
	"trend.slope":     {" {change} a month over {months} months (median).", "{months} か月間で 1 か月あたり {change}(中央値)。"},
	"trend.short":     {" {months} {months|month is|months are} too few for a trend.", "{months} か月分だけでは傾向は判断できない。"},
	"trend.moved.out": {" {amount} of account {account} moved to {to}: no saving.", "アカウント {account} の {amount} は {to} に移っただけで、削減ではない。"},
	"trend.moved.in":  {" {amount} of account {account} moved here from {from}: no new cost.", "アカウント {account} の {amount} は {from} から移ったもので、新たな費用ではない。"},

	"trend.move.announced": {"Account {account}, {month}: {from} fell by {fell} and {to} rose by {rose}. The provider announced that this is billed there now: it moved, nothing was saved.", "アカウント {account}、{month}: {from} が {fell} 減り、{to} が {rose} 増加。課金先の変更が発表されており、移動であって削減ではない。"},
	"trend.move.alike":     {"Account {account}, {month}: {from} fell by {fell} and {to} rose by {rose}. So much alike is probably one thing that moved, not a saving.", "アカウント {account}、{month}: {from} が {fell} 減り、{to} が {rose} 増加。ほぼ同額のため、削減ではなく移動と考えられる。"},

	"trend.peer":      {"Account {account} pays {amount} for {service} in {month}; the median of the {n} accounts whose whole bill is about as large is {median}.", "アカウント {account} の {month} の {service} は {amount}。請求総額が同程度の {n} アカウントの中央値は {median}。"},
	"trend.peers.few": {"Accounts cannot be compared: the bill has {n}, and at least {least} are needed.", "アカウント同士の比較はできない: 請求にあるのは {n} アカウントで、{least} 以上が必要。"},

	"trend.peers.unlike": {"Accounts cannot be compared: none of the {n} has {least} others whose whole bill is within a factor of three.", "アカウント同士の比較はできない: {n} アカウントのいずれにも、請求総額が 3 倍以内の他アカウントが {least} 以上ない。"},

	"trend.account":      {"One more account costs about {amount} a month for security services: the median of {n} accounts in {month}, {share:percent} of which pay {low} to {high}.", "アカウントが 1 つ増えると、セキュリティサービスの費用は月に約 {amount} 増える({month} の {n} アカウントの中央値。{share:percent} は {low}～{high})。"},
	"trend.account.few":  {"What one more account costs cannot be told: {n} {n|account pays|accounts pay} for security services, and at least {least} are needed.", "アカウント追加時の費用は算出できない: セキュリティサービスの費用があるのは {n} アカウントで、{least} 以上が必要。"},
	"trend.task":         {"Each task that is started costs {amount} in AWS Config ({low} to {high} on nine of ten occasions): the slope over {n} months of accounts.", "タスク起動 1 回あたりの AWS Config の費用は {amount}(90 % の範囲 {low}～{high})。アカウント × 月の {n} 点から算出した傾き。"},
	"trend.task.few":     {"What one more task costs cannot be told: {n} {n|month of an account has|months of accounts have} both a bill and logged starts of tasks that differ, and at least {least} are needed.", "タスク 1 回あたりの費用は算出できない: 請求とタスク起動のログがそろい、かつ回数に差がある点が {n} 件で、{least} 件以上が必要。"},
	"trend.gigabyte":     {"One more gigabyte looked at costs {amount} ({low} to {high} on nine of ten occasions): the slope over {n} months of accounts.", "検査対象が 1 ギガバイト増えるごとの費用は {amount}(90 % の範囲 {low}～{high})。アカウント × 月の {n} 点から算出した傾き。"},
	"trend.gigabyte.few": {"What one more gigabyte costs cannot be told: {n} {n|month of an account is|months of accounts are} billed by it and differ, and at least {least} are needed.", "1 ギガバイトあたりの費用は算出できない: ギガバイト単位で課金され、かつ量に差がある点が {n} 件で、{least} 件以上が必要。"},

	"trend.account.new_account":  {"{change}: account {account} is new.", "{change}: アカウント {account} が追加された。"},
	"trend.account.gone_account": {"{change}: account {account} is billed no more.", "{change}: アカウント {account} の請求がなくなった。"},
	"trend.service.new_service":  {"{change}: account {account} began to use {service}.", "{change}: アカウント {account} で {service} の利用が始まった。"},
	"trend.service.gone_service": {"{change}: account {account} uses {service} no more.", "{change}: アカウント {account} で {service} の利用がなくなった。"},
	"trend.use.usage":            {"{change}: {service} in account {account}, as much more or less was used ({usage}).", "{change}: アカウント {account} の {service} の使用量の増減({usage})。"},
	"trend.use.price":            {"{change}: {service} in account {account}, as the same costs more or less ({usage}): a price, or a step of it.", "{change}: アカウント {account} の {service} の単価の増減({usage})。価格改定または段階料金による。"},
	"trend.why.days":             {"{change}: the month has {days} days, the one before had {before}.", "{change}: 月の日数の違い({before} 日 → {days} 日)。"},
	"trend.why.rest":             {"{change}: {n} more, each smaller.", "{change}: ほか {n} 件(いずれも小さい)。"},
	"trend.why.one":              {"There is no month before to compare with.", "比較できる前月がない。"},
}
