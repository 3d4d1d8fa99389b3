package anomaly

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/detect/stored"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/usage"
)

// crowd is a source of many secrets, which are made as they are asked for.
type crowd struct {
	secrets  int
	uids     []string
	roles    []string
	accounts []string
}

func newCrowd(secrets int) *crowd {
	c := &crowd{secrets: secrets}
	for i := range secrets {
		account := fmt.Sprintf("%012d", 111122220000+i/20)
		c.accounts = append(c.accounts, account)
		c.uids = append(c.uids, fmt.Sprintf("arn:aws:secretsmanager:eu-west-1:%s:secret:prod/app%d/part%d-aB3x%02d", account, i/4, i%4, i%100))
		c.roles = append(c.roles, fmt.Sprintf("arn:aws:iam::%s:role/app%d", account, i/4))
	}
	return c
}

func (c *crowd) count(hour time.Time, i int) int {
	x := uint64(hour.Unix()/3600)*0x9e3779b97f4a7c15 ^ uint64(i)*0xff51afd7ed558ccd
	x ^= x >> 31
	x *= 0xc4ceb9fe1a85ec53
	return int(x>>33) % 7 // of 20,000 secrets 60,000 reads an hour
}

func (c *crowd) key(hour time.Time, i int) usage.Key {
	return usage.Key{
		Hour: hour, CloudProvider: "AWS", AccountUID: c.accounts[i], ActorUID: c.roles[i], Caller: event.CallerLambda, Region: "eu-west-1", Outcome: event.Success,
	}
}

func (c *crowd) sums(_ context.Context, q Sums) iter.Seq2[usage.Row, error] {
	return func(yield func(usage.Row, error) bool) {
		if len(q.By) == 0 {
			yield(usage.Row{Key: usage.Key{Hour: start}, Count: 1}, nil)
			return
		}
		for hour := q.Since; hour.Before(q.Until); hour = hour.Add(time.Hour) {
			for i := range c.secrets {
				n := c.count(hour, i)
				k := c.key(hour, i)
				switch {
				case len(q.By) == len(details) && n > 0:
					k.APIService, k.APIOperation, k.ResourceUID = "secretsmanager.amazonaws.com", "GetSecretValue", c.uids[i]
				case len(q.By) == len(totals) && i%4 == 0:
					n = 100
				default:
					continue
				}
				if !yield(usage.Row{Key: k, Count: int64(n), First: hour, Last: hour.Add(time.Duration(n) * time.Minute)}, nil) {
					return
				}
			}
		}
	}
}

func (c *crowd) events(_ context.Context, q stored.Condition) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		e := event.Event{
			CloudProvider: "AWS", Region: "eu-west-1", APIService: "secretsmanager.amazonaws.com", APIOperation: "GetSecretValue",
			Outcome: event.Success, Caller: event.CallerLambda, SrcIP: "10.4.0.9", SrcVPCE: "vpce-0123", ReadOnly: true,
		}
		for hour := q.Since.Truncate(time.Hour); hour.Before(q.Until); hour = hour.Add(time.Hour) {
			for i := range c.secrets {
				e.AccountUID, e.ActorUID, e.ActorSession, e.ResourceUID = c.accounts[i], c.roles[i], c.roles[i][31:], c.uids[i]
				for n := range c.count(hour, i) {
					e.Time = hour.Add(time.Duration(n*7+i%4) * time.Minute)
					if e.Time.Before(q.Since) || !e.Time.Before(q.Until) {
						continue
					}
					binary.BigEndian.PutUint64(e.UID[:], uint64(i))
					binary.BigEndian.PutUint64(e.UID[8:], uint64(e.Time.Unix()))
					if !yield(e, nil) {
						return
					}
				}
			}
		}
	}
}

// BenchmarkLiveHour is an hour of 20,000 secrets as it is judged while the log
// goes on, after a day that was learned. The lake is not in it.
func BenchmarkLiveHour(b *testing.B) {
	c := newCrowd(20_000)
	h := New(Options{
		Usage: Usage{Where: c.sums}, Events: stored.Source{Where: c.events}, Lateness: -1,
		Signs: func() []watch.Sign { return Signs(SignOptions{}) },
	})
	at := start.Add(30 * time.Hour)
	look := func(now time.Time) {
		if _, err := h.Hunt(b.Context(), Name, now.Add(-time.Hour), now, now); err != nil {
			b.Fatal(err)
		}
	}
	look(at)
	bytes, secrets := h.Bytes()
	total := 0
	for _, n := range bytes {
		total += n
	}
	for b.Loop() {
		at = at.Add(time.Hour)
		look(at)
	}
	b.ReportMetric(float64(total)/float64(secrets), "B/secret")
}
