package say

// bill is said of what bills lack.
var bill = texts{
	"bill.missing.rows":  {"{n:grouped} {n|row|rows} of this month's files could not be read: the figures lack {n|it|them}.", "この月の請求ファイルのうち {n:grouped} 行を読み取れず、金額に含まれていない。"},
	"bill.missing.parts": {"{n} {n|file|files} of a delivery {n|is|are} missing ({parts}): the figures lack what {n|it has|they have}.", "配信されたファイルのうち {n} 個が欠けている({parts}): その分は金額に含まれていない。"},
	"bill.missing.both":  {"{rows} {parts}", "{rows}{parts}"},
}
