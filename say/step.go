package say

// steps are what to do next about findings that no rule made; stores keep their
// English alone: see Again.
var steps = texts{
	"step.ask":      {"Ask {person} whether it was them", "本人の操作か {person} に確認する"},
	"step.schedule": {"Look at the schedule or the pipeline that starts {program}", "{program} を起動するスケジュールまたはパイプラインを確認する"},
	"step.read":     {"Read {page}", "{page} を読む"},
}
