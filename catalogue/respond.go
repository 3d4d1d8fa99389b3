package catalogue

import (
	"fmt"

	"github.com/yagura-sec/yagura/alert"
	"github.com/yagura-sec/yagura/config"
	"github.com/yagura-sec/yagura/respond"
	"github.com/yagura-sec/yagura/respond/aws"
)

// toldBy are the formats whose findings a product that can be told has.
var toldBy = map[string]string{"securityhub": alert.SecurityHub, "guardduty": alert.GuardDuty}

// Responders makes those of the configuration, by the format of findings; it opens
// nothing.
func Responders(all []config.WriteBack) (map[string]respond.Responder, error) {
	out := map[string]respond.Responder{}
	for i, c := range all {
		r, err := aws.New(aws.Config{Product: c.Product, Role: c.Role, Region: c.Region, Endpoint: c.Endpoint})
		if err != nil {
			return nil, fmt.Errorf("write_back[%d]: %w", i, err)
		}
		format := toldBy[c.Product]
		if out[format] != nil {
			return nil, fmt.Errorf("write_back[%d]: %s is there twice", i, c.Product)
		}
		out[format] = r
	}
	return out, nil
}
