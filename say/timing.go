package say

// timing is what is said of use at hours that are not usual.
var timing = texts{
	"timing.hours":         {"{working} h UTC on working days and {off} h UTC on days off", "平日 {working} 時・休日 {off} 時 UTC"},
	"timing.hours.working": {"{hours} h UTC on working days", "平日 {hours} 時 UTC"},
	"timing.hours.off":     {"{hours} h UTC on days off", "休日 {hours} 時 UTC"},
	"timing.percent.less":  {"less than 0.001 %", "0.001 % 未満"},
	"timing.unseen":        {"more than {n:0} days off", "{n:0} 日を超える休日"},

	"timing.wrote":        {"made {n} calls that change something", "変更を伴う呼び出しを {n} 回実行"},
	"timing.read":         {"read {secret}", "{secret} を読み取り"},
	"timing.read.several": {"read {secret} and {n} more secrets", "{secret} 他 {n} 個のシークレットを読み取り"},
	"timing.person.title": {"{who} {what} at an hour that is not theirs", "{who} が普段と異なる時間帯に{what}"},
	"timing.person": {"{who} {what} at {at:clock} UTC (about {there:daytime} where they work); on {days} days they were active in {hours} hours, nine in ten of them {usual}; hours as rare as this hold {share} of their pattern",
		"{who} が {at:clock} UTC(勤務地では {there:daytime} 頃)に{what}。活動は {days} 日間・{hours} 時間帯で、その 9 割が {usual}。これほどまれな時間帯は全体の {share}"},
	"timing.holiday": {"hardly anybody of the same place works on this day: it is judged as a day off", "同じ拠点ではほとんど誰も働いていない日のため、休日として判定"},
	"timing.network": {"the calls came from a network that is new to {who}", "{who} が初めて使うネットワークからの呼び出し"},

	"timing.machine.title": {"{who} read {secret} at an hour that is not its own", "{who} が普段と異なる時間帯に {secret} を読み取り"},
	"timing.machine": {"{who} read {secret} at {at:clock} UTC on {day:weekday}; in {days} days it was active in {hours} hours, nine in ten of them {usual}; hours as rare as this hold {share} of its pattern",
		"{day:weekday} {at:clock} UTC に {who} が {secret} を読み取り。活動は {days} 日間・{hours} 時間帯で、その 9 割が {usual}。これほどまれな時間帯は全体の {share}"},
	"timing.job.title": {"the job {who} came at {at:clock} UTC, which is not its time", "ジョブ {who} が通常と異なる {at:clock} UTC に実行された"},
	"timing.job": {"{who} read {secret} {n} times at {at:clock} UTC on {day:weekday}; on {days} days it came at about {hour:02}:{minute:02} with about {reads:0} reads, and hardly ever otherwise",
		"{day:weekday} {at:clock} UTC に {who} が {secret} を {n} 回読み取り。過去 {days} 日は {hour:02}:{minute:02} 頃に約 {reads:0} 回で、それ以外はほとんどない"},

	"timing.act":            {"{operation} in the same account at {at:clock}", "同じアカウントで {at:clock} に {operation}"},
	"timing.start":          {"it read {n} other secrets about as often in the same hour: as when it starts", "同じ時間帯にほかのシークレット {n} 個も同程度に読み取り: 起動時に典型的"},
	"timing.application":    {"{who}, which is of the same application, began in the same minutes what it does not do at this time: as when all of it is started", "同じアプリケーションの {who} も数分以内に普段はない動作を開始: アプリケーション全体の起動時に典型的"},
	"timing.clock":          {"it is its usual run, an hour off: as when clocks change", "通常の実行が 1 時間ずれたもの: 夏時間の切り替え時に典型的"},
	"timing.clock.programs": {"{n} other programs came an hour off as well: as when clocks change", "ほかの {n} 個のプログラムも 1 時間ずれている: 夏時間の切り替え時に典型的"},
	"timing.clock.people":   {"{n} others of the same place came an hour off as well: as when clocks change", "同じ拠点のほかの {n} 人も 1 時間ずれている: 夏時間の切り替え時に典型的"},
	"timing.incident":       {"{n} others who work in the same account were up at this unusual hour too: as when something is broken", "同じアカウントで働くほかの {n} 人も普段と異なるこの時間に活動: 障害対応時に典型的"},
	"timing.travel":         {"all {n} hours of this day are shifted, from a network that is new to them: as on a journey", "この日の {n} 時間帯がすべてずれ、初めてのネットワークを使用: 出張や旅行時に典型的"},
}

// view is what is said of people who open secrets in the console.
var view = texts{
	"view.title": {"{who} opened {secret} in the console", "{who} がコンソールで {secret} を表示"},
	"view.sentence": {"{who} ({role}) opened {secret} in the console at {at:clock} UTC; in {days} days programs read it about {n:0} times (earlier days counted for less), and {last}.",
		"{at:clock} UTC に {who}({role})がコンソールで {secret} を表示。{days} 日間のプログラムによる読み取りは約 {n:0} 回(古い日ほど軽く加重)、{last}。"},
	"view.sentence.own": {"{who} opened {secret} in the console at {at:clock} UTC; in {days} days programs read it about {n:0} times (earlier days counted for less), and {last}.",
		"{at:clock} UTC に {who} がコンソールで {secret} を表示。{days} 日間のプログラムによる読み取りは約 {n:0} 回(古い日ほど軽く加重)、{last}。"},
	"view.programs":       {"programs only", "プログラムのみ"},
	"view.last":           {"the last person who read it did so on {day:day}", "人による前回の読み取りは{day:day}"},
	"view.last.nobody":    {"no person is known to have read it before", "人による読み取りはこれまで確認されていない"},
	"view.hours":          {"{who} hardly ever works at that time: {day:dayname}, {at:clock} UTC.", "{who} はこの時間帯({day:dayname} {at:clock} UTC)にほとんど活動しない。"},
	"view.role":           {"Role {role} is hardly ever used: on fewer than {n} days of the last 60.", "ロール {role} はほとんど使われていない(直近 60 日のうち {n} 日未満)。"},
	"view.several":        {"{n} secrets of applications that {who} never opened before were opened within an hour.", "{who} がこれまで表示したことのないアプリケーションのシークレット {n} 個を 1 時間以内に表示。"},
	"view.unseen":         {"the events of that hour are not held: which of the people who use {role} it was is not known", "その時間帯のイベントは保持されておらず、{role} を使う人のうち誰かは不明"},
	"view.change":         {"{operation} of {secret} by the same person's role at {at:clock} UTC: its value is being changed", "同じ人のロールが {at:clock} UTC に {secret} に対し {operation} を実行: 値の変更作業と推定"},
	"view.person.again":   {"{who} opened it before, but not often enough for it to be usual.", "{who} は以前にも表示しているが、通常と言えるほど頻繁ではない。"},
	"view.person.keeper":  {"Role {role} created or changed the secret last.", "このシークレットを最後に作成または変更したのはロール {role}。"},
	"view.person.sibling": {"{who} opened other secrets of its family before.", "{who} は同系統のほかのシークレットを以前に表示している。"},
	"view.person.team":    {"Other people with role {role} open it now and then; {who} did not.", "ロール {role} のほかの人は時々これを表示するが、{who} は初めて。"},
	"view.person.kin":     {"Other people with role {role} open secrets of its family now and then; {who} did not.", "ロール {role} のほかの人は時々同系統のシークレットを表示するが、{who} は初めて。"},
	"view.person.opener":  {"{who} opened secrets about {n} times in the last 60 days, none of this application.", "{who} は直近 60 日間にシークレットを約 {n} 回表示したが、このアプリケーションのものはない。"},
	"view.person.never":   {"{who} was at work on {days} days and never opened a secret.", "{who} は {days} 日間の活動でシークレットを表示したことがない。"},
	"view.person.unknown": {"Nothing is known of {who} from before.", "{who} のこれまでの活動は不明。"},
}
