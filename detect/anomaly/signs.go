package anomaly

import (
	"github.com/yagura-sec/yagura/detect/anomaly/caller"
	"github.com/yagura-sec/yagura/detect/anomaly/denials"
	"github.com/yagura-sec/yagura/detect/anomaly/failures"
	"github.com/yagura-sec/yagura/detect/anomaly/frequency"
	"github.com/yagura-sec/yagura/detect/anomaly/group"
	"github.com/yagura-sec/yagura/detect/anomaly/region"
	"github.com/yagura-sec/yagura/detect/anomaly/timing"
	"github.com/yagura-sec/yagura/detect/anomaly/view"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/finding"
)

// SignOptions take away what signs use, to see what it is worth. The zero
// SignOptions take nothing away.
type SignOptions struct {
	NoContext   bool // nothing in the log accounts for anything
	NoPeers     bool // others of the kind tell nothing
	NoShrinkage bool // own figures only, however few
	// Only these signs, by name; nil: all.
	Only []string
}

// makers make the signs, in the order of finding.Signs.
var makers = map[string]func(SignOptions) watch.Sign{
	finding.SignFrequency: func(o SignOptions) watch.Sign {
		return frequency.New(frequency.Options{NoContext: o.NoContext, NoPeers: o.NoPeers, NoShrinkage: o.NoShrinkage})
	},
	finding.SignTime: func(o SignOptions) watch.Sign {
		return timing.New(timing.Options{NoContext: o.NoContext, NoPeers: o.NoPeers, NoShrinkage: o.NoShrinkage})
	},
	finding.SignCaller: func(o SignOptions) watch.Sign {
		return caller.New(caller.Options{NoContext: o.NoContext, NoPeers: o.NoPeers, NoShrinkage: o.NoShrinkage})
	},
	finding.SignGroup: func(o SignOptions) watch.Sign {
		return group.New(group.Options{NoContext: o.NoContext, NoPeers: o.NoPeers, NoShrinkage: o.NoShrinkage})
	},
	finding.SignFailures: func(o SignOptions) watch.Sign {
		return failures.New(failures.Options{NoContext: o.NoContext, NoPeers: o.NoPeers, NoShrinkage: o.NoShrinkage})
	},
	finding.SignView: func(o SignOptions) watch.Sign {
		return view.New(view.Options{NoContext: o.NoContext, NoPeers: o.NoPeers, NoShrinkage: o.NoShrinkage})
	},
	finding.SignRegion: func(o SignOptions) watch.Sign {
		return region.New(region.Options{NoContext: o.NoContext, NoPeers: o.NoPeers, NoShrinkage: o.NoShrinkage})
	},
	finding.SignDenials: func(o SignOptions) watch.Sign {
		return denials.New(denials.Options{NoContext: o.NoContext, NoPeers: o.NoPeers, NoShrinkage: o.NoShrinkage})
	},
}

// Signs makes the signs of trouble, which have learned nothing yet.
func Signs(o SignOptions) []watch.Sign {
	names := finding.Signs
	if o.Only != nil {
		names = o.Only
	}
	var out []watch.Sign
	for _, name := range names {
		if f := makers[name]; f != nil {
			out = append(out, f(o))
		}
	}
	return out
}
