package count

import (
	"regexp"
	"strings"
)

// place is where a document is from; empty: not known.
type place struct{ account, region, resourceType, name string }

var (
	accountIn = regexp.MustCompile(`(?:^|[^0-9])([0-9]{12})(?:[^0-9]|$)`)
	regionIn  = regexp.MustCompile(`(?:^|[^a-z0-9])((?:[a-z]{2}|us-gov|us-iso|us-isob|eu-isoe|eusc)-(?:north|south|east|west|central|northeast|southeast|northwest|southwest|de-east)-[0-9])(?:[^0-9a-z]|$)`)
	typeIn    = regexp.MustCompile(`(AWS|Alexa)(?:::|[-_.]+)([A-Za-z0-9]+)(?:::|[-_.]+)([A-Z][A-Za-z0-9]+)`)

	accountIs = regexp.MustCompile(`^[0-9]{12}$`)
	regionIs  = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-[0-9]$`)
	typeIs    = regexp.MustCompile(`^[A-Za-z0-9]+::[A-Za-z0-9]+::[A-Za-z0-9]+$`)
	arnIs     = regexp.MustCompile(`^arn:aws[a-z-]*:[a-z0-9-]+:([a-z0-9-]*):([0-9]{12}):`)
)

// placeOf reads a path or a label: the last account and region that it names.
func placeOf(text string) (p place) {
	text = strings.ReplaceAll(text, `\`, "/")
	for part := range strings.SplitSeq(text, "/") {
		if m := accountIn.FindStringSubmatch(part); m != nil {
			p.account = m[1]
		}
		if m := regionIn.FindStringSubmatch(part); m != nil {
			p.region = m[1]
		}
		if m := typeIn.FindStringSubmatch(part); m != nil {
			p.resourceType = m[1] + "::" + m[2] + "::" + m[3]
		}
		p.name = part
	}
	return p
}

// or fills what is not known from another.
func (p place) or(q place) place {
	if p.account == "" {
		p.account = q.account
	}
	if p.region == "" {
		p.region = q.region
	}
	if p.resourceType == "" {
		p.resourceType = q.resourceType
	}
	return p
}

// placeOfARN reads the account and the region of an ARN.
func placeOfARN(arn string) (p place) {
	if m := arnIs.FindStringSubmatch(arn); m != nil {
		p.region, p.account = m[1], m[2]
	}
	return p
}
