package main

import "github.com/prometheus/client_golang/prometheus"

var (
	receiveRequests = metric("receive_requests_total", "Requests of senders with the right token, by how they were answered, since the source began.", "source", "answer")
	receiveRecords  = metric("receive_records_total", "Records of such requests that were acknowledged, those in quarantine with them, since the source began.", "source")
	receiveBytes    = metric("receive_bytes_total", "Bytes of acknowledged requests as they were sent, since the source began.", "source")
)

// receives tells what senders sent.
type receives struct{ s *server }

// Describe is prometheus.Collector's.
func (c receives) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{receiveRequests, receiveRecords, receiveBytes} {
		to <- d
	}
}

// Collect is prometheus.Collector's.
func (c receives) Collect(to chan<- prometheus.Metric) {
	for name, s := range c.s.hub.Stats() {
		count := func(d *prometheus.Desc, n int64, labels ...string) {
			to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), append([]string{name}, labels...)...)
		}
		count(receiveRequests, s.Requests-s.Refused-s.Again, "taken")
		count(receiveRequests, s.Again, "again")
		count(receiveRequests, s.Refused, "refused")
		count(receiveRecords, s.Records)
		count(receiveBytes, s.Bytes)
	}
}
