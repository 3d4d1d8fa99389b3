package main

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/yagura-sec/yagura/pipeline"
)

// metrics are Prometheus' view of a serving program.
func (s *server) metrics() http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	count := func(name, help string, labels prometheus.Labels, value func(pipeline.Stats) int64) {
		reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Namespace: "yagura", Name: name, Help: help, ConstLabels: labels,
		}, func() float64 { return float64(value(s.pipe.Stats())) }))
	}
	const records = "records_total"
	const help = "Records since the start, by what became of them."
	count(records, help, prometheus.Labels{"verdict": "stored"}, func(p pipeline.Stats) int64 { return p.Stored })
	count(records, help, prometheus.Labels{"verdict": "duplicate"}, func(p pipeline.Stats) int64 { return p.Duplicate })
	count(records, help, prometheus.Labels{"verdict": "quarantined"}, func(p pipeline.Stats) int64 { return p.Quarantined })
	count(records, help, prometheus.Labels{"verdict": "expired"}, func(p pipeline.Stats) int64 { return p.Expired })
	count("batches_total", "Batches committed since the start.", nil, func(p pipeline.Stats) int64 { return p.Batches })
	count("findings_touched_total", "Different findings made or seen again since the start.", nil, func(p pipeline.Stats) int64 { return p.Findings })
	reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Namespace: "yagura", Name: "events_unjudged_total", Help: "Events whose record no rule could be held against.",
	}, func() float64 { return float64(s.rooms.rules.Unjudged()) }))
	reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "yagura", Name: "build_info", Help: "1, with the version as a label.", ConstLabels: prometheus.Labels{"version": version},
	}, func() float64 { return 1 }))
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{})
}
