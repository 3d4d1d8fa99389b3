package main

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/yagura-sec/yagura/detect/anomaly"
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
		Namespace: "yagura", Name: "events_unjudged_total", Help: "Events whose record no rule could be held against, or that are a finding of another product and could not be read as one.",
	}, func() float64 { return float64(s.rooms.rules.Unjudged() + s.rooms.others.Unread()) }))
	reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Namespace: "yagura", Name: "rules_reloads_total", Help: "How often changed rules were taken up since the start.",
	}, func() float64 { return float64(s.reloads.Load()) }))
	reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "yagura", Name: "rules", Help: "Rules in use, those that only serve correlations included.",
	}, func() float64 { return float64(s.rooms.rules.Detector().Len()) }))
	reg.MustRegister(tasks{s}, account{s}, hunts{s}, looks{s}, receives{s})
	reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "yagura", Name: "build_info", Help: "1, with the version as a label.", ConstLabels: prometheus.Labels{"version": version},
	}, func() float64 { return 1 }))
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{
		// What can be told is told even while the disk is full.
		ErrorHandling: promhttp.ContinueOnError,
	})
}

func metric(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("yagura_"+name, help, labels, nil)
}

var (
	intakeUp     = metric("intake_up", "Whether a source works: 1, or 0 while it is being tried again.", "source")
	intakeErrors = metric("intake_errors_total", "How often a source stopped with an error since the start.", "source")
	upkeepUp     = metric("upkeep_up", "Whether a task beside the intake works: 1, or 0 while it is being tried again.", "task")
	upkeepErrors = metric("upkeep_errors_total", "How often a task beside the intake failed since the start.", "task")

	ledgerObjects = metric("ledger_objects", "Objects in the ledger, each version one.")
	ledgerRecords = metric("ledger_records", "Records in the ledger, by what became of them.", "verdict")
)

// tasks tells how the server's tasks are.
type tasks struct{ s *server }

// Describe is prometheus.Collector's.
func (c tasks) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{intakeUp, intakeErrors, upkeepUp, upkeepErrors} {
		to <- d
	}
}

// Collect is prometheus.Collector's.
func (c tasks) Collect(to chan<- prometheus.Metric) {
	tell := func(t *task, up, errors *prometheus.Desc) {
		since, n, _ := t.state()
		works := 0.0
		if since.IsZero() {
			works = 1
		}
		to <- prometheus.MustNewConstMetric(up, prometheus.GaugeValue, works, t.name)
		to <- prometheus.MustNewConstMetric(errors, prometheus.CounterValue, float64(n), t.name)
	}
	for _, t := range c.s.intake {
		tell(t, intakeUp, intakeErrors)
	}
	tell(c.s.merge, upkeepUp, upkeepErrors)
	tell(c.s.upkeep, upkeepUp, upkeepErrors)
	tell(c.s.hunt, upkeepUp, upkeepErrors)
	tell(c.s.watch, upkeepUp, upkeepErrors)
	for _, t := range c.s.outputs {
		tell(t, upkeepUp, upkeepErrors)
	}
}

var (
	huntWaiting  = metric("hunt_marked_hours", "Hours that correlations are to look at, each correlation's, as of the last round.")
	huntOpen     = metric("hunt_open_hours", "Of the marked hours, those that wait for more of the log.")
	huntCount    = metric("hunts_total", "Looks of correlations at stretches of the log since the start.")
	huntSeconds  = metric("hunt_seconds_total", "Time that correlations took since the start.")
	huntOverflow = metric("hunt_overflow_total", "Matches that correlations could not keep, each time they were looked at, since the start. Their findings say so.")
)

var (
	lookWaiting = metric("anomaly_marked_hours", "Hours that are to be looked at for anomalies, as of the last round.")
	lookOpen    = metric("anomaly_open_hours", "Of the marked hours, those that wait for more of the log.")
	lookCount   = metric("anomaly_looks_total", "Looks for anomalies since the start.")
	lookSeconds = metric("anomaly_seconds_total", "Time that looks for anomalies took since the start.")
	lookSecrets = metric("anomaly_secrets", "Secrets and keys whose use is watched.")
	lookBytes   = metric("anomaly_state_bytes", "Memory that what was learned takes, about.")
)

// looks tells how looking for anomalies is.
type looks struct{ s *server }

// Describe is prometheus.Collector's.
func (c looks) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{lookWaiting, lookOpen, lookCount, lookSeconds, lookSecrets, lookBytes} {
		to <- d
	}
}

// Collect is prometheus.Collector's.
func (c looks) Collect(to chan<- prometheus.Metric) {
	var s pipeline.HuntStats // zero where they are switched off
	var state anomaly.Progress
	if c.s.rooms.lookout != nil {
		s, state = c.s.rooms.lookout.Stats(), c.s.rooms.anomalies.Progress()
	}
	for _, m := range []struct {
		desc  *prometheus.Desc
		kind  prometheus.ValueType
		value float64
	}{
		{lookWaiting, prometheus.GaugeValue, float64(s.Waiting)}, {lookOpen, prometheus.GaugeValue, float64(s.Open)},
		{lookCount, prometheus.CounterValue, float64(s.Hunts)}, {lookSeconds, prometheus.CounterValue, s.Seconds},
		{lookSecrets, prometheus.GaugeValue, float64(state.Secrets)}, {lookBytes, prometheus.GaugeValue, float64(state.Bytes)},
	} {
		to <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value)
	}
}

// hunts tells how correlations are.
type hunts struct{ s *server }

// Describe is prometheus.Collector's.
func (c hunts) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{huntWaiting, huntOpen, huntCount, huntSeconds, huntOverflow} {
		to <- d
	}
}

// Collect is prometheus.Collector's.
func (c hunts) Collect(to chan<- prometheus.Metric) {
	s := c.s.rooms.hunting.Stats()
	for _, m := range []struct {
		desc  *prometheus.Desc
		kind  prometheus.ValueType
		value float64
	}{
		{huntWaiting, prometheus.GaugeValue, float64(s.Waiting)}, {huntOpen, prometheus.GaugeValue, float64(s.Open)},
		{huntCount, prometheus.CounterValue, float64(s.Hunts)}, {huntSeconds, prometheus.CounterValue, s.Seconds},
		{huntOverflow, prometheus.CounterValue, float64(c.s.rooms.hunter.Load().Overflow())},
	} {
		to <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value)
	}
}

// account tells the ledger's totals.
type account struct{ s *server }

// Describe is prometheus.Collector's.
func (c account) Describe(to chan<- *prometheus.Desc) {
	to <- ledgerObjects
	to <- ledgerRecords
}

// Collect is prometheus.Collector's.
func (c account) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	t, err := c.s.rooms.ledger.Totals(ctx)
	if err != nil {
		to <- prometheus.NewInvalidMetric(ledgerObjects, err)
		return
	}
	to <- prometheus.MustNewConstMetric(ledgerObjects, prometheus.GaugeValue, float64(t.Objects))
	for verdict, n := range map[string]int64{"stored": t.Stored, "duplicate": t.Duplicate, "quarantined": t.Quarantined, "expired": t.Expired} {
		to <- prometheus.MustNewConstMetric(ledgerRecords, prometheus.GaugeValue, float64(n), verdict)
	}
}
