package say

// gaps is said of what the log lacks.
var gaps = texts{
	"gap.silent": {"Nothing arrived from account {account}{region} {span} UTC, while the {hours} comparable hours {where} had {low} to {high} records (median {median}), and {empty} empty.{quiet}",
		"{span} UTC にアカウント {account}{region} から何も届いていない。比較対象の{where} {hours} 時間帯の記録は {low}〜{high} 件(中央値 {median})で、{empty}。{quiet}"},
	"gap.day":    {"from {from:stamp} to {to:clock}", "{from:stamp}〜{to:clock}"},
	"gap.span":   {"from {from:stamp} to {to:stamp}", "{from:stamp}〜{to:stamp}"},
	"gap.region": {" in {region}", "({region})"},
	"gap.none":   {"none was", "空の時間帯はなし"},
	"gap.some":   {"{n} of them were", "うち空は {n} 時間帯"},
	"gap.days":   {"of other days", "別の日の"},
	"gap.around": {"around", "前後の"},
	"gap.quiet":  {" The quiet time before or after it was silent as usual: a day off looks the same.", "前後の静かな時間帯は通常どおり無音で、休日でも同じように見える。"},

	"day.before":  {"The account's first record is of {day}.", "このアカウントの最初の記録は {day}。"},
	"day.late":    {"Records of this day may still come.", "この日の記録はまだ届く可能性がある。"},
	"day.behind":  {"The account's latest record is of {day}: whether it is quiet or its log has ended is not known.", "このアカウントの最新の記録は {day}: 活動がないのか、ログが途絶えたのかは不明。"},
	"day.missing": {"Nothing came, although records came before and after.", "前後の日の記録はあるが、この日は何も届いていない。"},
	"day.gaps":    {"{first} (and {n} more)", "{first}(他 {n} 件)"},
	"day.unread":  {"{n} {n|object was|objects were} not read to the end{first}.{before}", "オブジェクト {n} 個が最後まで読めていない{first}。{before}"},
	"day.held":    {"{n} {n|record waits|records wait} in quarantine{first}.{before}", "記録 {n} 件が隔離中{first}。{before}"},
	"day.flaws": {"{objects} {objects|object was|objects were} not read to the end, and {records} {records|record waits|records wait} in quarantine{first}.{before}",
		"オブジェクト {objects} 個が最後まで読めておらず、記録 {records} 件が隔離中{first}。{before}"},
	"day.first":   {" ({reason})", "({reason})"},
	"day.besides": {" {reason}", "{reason}"},

	"digest.twice":        {"the digest {digest} exists with two contents: {one} and {other}", "ダイジェスト {digest} の内容が 2 通りある: {one} と {other}"},
	"digest.anew":         {"the chain of digests starts anew with {digest}: no digest vouches for the time before it", "ダイジェストの連鎖が {digest} から新たに始まっており、それより前を保証するものがない"},
	"digest.missing":      {"the digest {digest} is missing; {next} names it as the one before it", "ダイジェスト {digest} が欠落({next} が直前のものとして参照)"},
	"digest.changed":      {"the digest {digest} was changed: its hash is {is}, and the digest after it says {was}", "ダイジェスト {digest} が変更されている: ハッシュは {is}、直後のダイジェストの記載は {was}"},
	"digest.key":          {"the digest {digest} is signed with the key {key}, which is not among the public keys given", "ダイジェスト {digest} の署名鍵 {key} は、与えられた公開鍵に含まれない"},
	"digest.signature":    {"the signature of the digest {digest} does not hold: it was changed, or was not written by CloudTrail", "ダイジェスト {digest} の署名が不正: 変更されたか、CloudTrail が書いたものではない"},
	"digest.file.missing": {"the log file {file} is missing; the digest {digest} names it", "ログファイル {file} が欠落(ダイジェスト {digest} に記載あり)"},
	"digest.file.changed": {"the log file {file} was changed: its hash is {is}, and the digest {digest} says {was}", "ログファイル {file} が変更されている: ハッシュは {is}、ダイジェスト {digest} の記載は {was}"},
}
