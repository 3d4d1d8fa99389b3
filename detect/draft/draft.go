// Package draft makes Sigma rules of searches: what somebody looked for once is
// looked for from then on. A draft says all that the filter says, or there is none,
// and a reason; what a filter cannot say (who answers for the rule, what would be a
// false positive) is for its author to fill in.
//
// Texts of filters are compared as they are written, and Sigma's in either case of
// letters: a draft may match more than its filter did.
package draft

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/sigma/match"
)

// CloudTrail is the format that a filter is taken to speak of where it names none.
const CloudTrail = "aws.cloudtrail"

// fields are the members of a record that columns hold as they are, by format.
// The others are worked out by Yagura; Sigma, which sees only records, has no word
// for them.
var fields = map[string]map[string]string{
	CloudTrail: {
		"api_operation": "eventName", "api_service": "eventSource", "region": "awsRegion", "src_ip": "sourceIPAddress", "src_host": "sourceIPAddress",
		"src_vpce": "vpcEndpointId", "user_agent": "userAgent", "status_code": "errorCode", "status_detail": "errorMessage", "account_uid": "recipientAccountId",
		"api_request_uid": "requestID", "event_uid": "eventID", "shared_uid": "sharedEventID", "read_only": "readOnly",
		"actor_invoked_by": "userIdentity.invokedBy", "actor_credential_uid": "userIdentity.accessKeyId", "actor_account_uid": "userIdentity.accountId",
	},
}

// instead names, by column, the members that often do in its place.
var instead = map[string]string{
	"actor_uid": "raw.userIdentity.arn or raw.userIdentity.sessionContext.sessionIssuer.arn", "actor_name": "raw.userIdentity.userName",
	"actor_type": "raw.userIdentity.type", "actor_session": "raw.userIdentity.principalId", "actor_mfa": "raw.userIdentity.sessionContext.attributes.mfaAuthenticated",
	"outcome": "status_code, or * for any error", "category": "raw.eventCategory", "caller": "user_agent",
	"resource_uid": "the parameter, such as raw.requestParameters.secretId", "resource_uids": "the parameter, such as raw.requestParameters.secretId",
}

// Rule is the text of a rule that matches what the filter chooses; text is the
// filter as it was written. Sources gives the log source of each format, as
// rule.Sources does. An error says, to a person, what no rule can say.
func Rule(where query.Expr, text string, sources map[string]match.Source) ([]byte, error) {
	d := drafting{format: CloudTrail}
	where, err := d.logSource(where)
	if err != nil {
		return nil, err
	}
	source, ok := sources[d.format]
	if !ok {
		return nil, fmt.Errorf("no rule is held against records of the format %q", d.format)
	}
	condition, err := d.condition(where, false)
	if err != nil {
		return nil, err
	}
	logSource := node(yaml.MappingNode)
	logSource.Style = yaml.FlowStyle
	for _, x := range [][2]string{{"category", source.Category}, {"product", source.Product}, {"service", source.Service}} {
		if x[1] != "" {
			put(logSource, x[0], value(x[1]))
		}
	}
	put(&d.detection, "condition", value(condition))
	d.detection.Kind = yaml.MappingNode
	rule := node(yaml.MappingNode)
	put(rule, "title", value(title(text)))
	put(rule, "id", value(id(text)))
	put(rule, "status", value("experimental"))
	put(rule, "description", value("A draft of a search. Say what it finds and why that matters."))
	put(rule, "logsource", logSource)
	put(rule, "detection", &d.detection)
	put(rule, "level", value("medium"))
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(rule); err != nil {
		return nil, fmt.Errorf("write the rule: %w", err)
	}
	return b.Bytes(), nil
}

// title is the filter, as much of it as a title holds.
func title(text string) string {
	const most = 100
	if r := []rune(text); len(r) > most {
		text = string(r[:most]) + "…"
	}
	return "Search: " + text
}

// id is the same for the same search: a UUID of RFC 9562's version 8.
func id(text string) string {
	sum := sha256.Sum256([]byte("yagura search\x00" + text))
	b := sum[:16]
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// drafting is a rule that is being made.
type drafting struct {
	format    string
	detection yaml.Node
	named     map[string]int // how many searches of the name there are
}

// logSource takes the format out of what must all hold.
func (d *drafting) logSource(where query.Expr) (query.Expr, error) {
	var rest []query.Expr
	for _, x := range query.Conjuncts(where) {
		if eq, ok := x.(query.Eq); ok && eq.Field == "format" {
			d.format = eq.Value.(string)
			continue
		}
		rest = append(rest, x)
	}
	if len(rest) == 0 {
		return nil, errors.New("a rule looks for something: the filter chooses every event")
	}
	return query.And{X: rest}, nil
}

// condition writes e as a condition of Sigma, and the searches it names; inside
// tells whether it stands within another.
func (d *drafting) condition(e query.Expr, inside bool) (string, error) {
	switch e := e.(type) {
	case query.And:
		return d.and(e.X, inside)
	case query.Or:
		return d.or(e.X, inside)
	case query.Not:
		text, err := d.condition(e.X, true)
		return "not " + text, err
	case query.All:
		return "", errors.New("a rule looks for something: * is every event")
	}
	return d.and([]query.Expr{e}, inside)
}

// parted tells what asks of one field from conditions, which are given as text.
func (d *drafting) parted(all []query.Expr) (items []query.Expr, conditions []string, err error) {
	for _, x := range all {
		switch x.(type) {
		case query.And, query.Or, query.Not, query.All:
			text, err := d.condition(x, true)
			if err != nil {
				return nil, nil, err
			}
			conditions = append(conditions, text)
		default:
			items = append(items, x)
		}
	}
	return items, conditions, nil
}

// and puts what is asked of different fields into one search.
func (d *drafting) and(all []query.Expr, inside bool) (string, error) {
	items, others, err := d.parted(all)
	if err != nil {
		return "", err
	}
	one := node(yaml.MappingNode)
	var terms []string
	for _, x := range items {
		key, v, err := d.item(x)
		if err != nil {
			return "", err
		}
		if key == "" {
			words := node(yaml.SequenceNode)
			words.Content = []*yaml.Node{v}
			others = append(others, d.search("keywords", words))
			continue
		}
		if has(one, key) { // a search asks once of a field
			terms = append(terms, d.search("selection", one))
			one = node(yaml.MappingNode)
		}
		put(one, key, v)
	}
	if len(one.Content) > 0 {
		terms = append(terms, d.search("selection", one))
	}
	return joined(append(terms, others...), " and ", inside), nil
}

// or puts values of one field into one list.
func (d *drafting) or(all []query.Expr, inside bool) (string, error) {
	items, others, err := d.parted(all)
	if err != nil {
		return "", err
	}
	lists := map[string]*yaml.Node{}
	var keys []string
	for _, x := range items {
		key, v, err := d.item(x)
		if err != nil {
			return "", err
		}
		if lists[key] == nil {
			lists[key] = node(yaml.SequenceNode)
			keys = append(keys, key)
		}
		lists[key].Content = append(lists[key].Content, v)
	}
	var terms []string
	for _, key := range keys {
		if key == "" {
			terms = append(terms, d.search("keywords", lists[key]))
			continue
		}
		one := node(yaml.MappingNode)
		put(one, key, lists[key])
		terms = append(terms, d.search("selection", one))
	}
	return joined(append(terms, others...), " or ", inside), nil
}

func joined(terms []string, by string, inside bool) string {
	if text := strings.Join(terms, by); !inside || len(terms) == 1 {
		return text
	}
	return "(" + strings.Join(terms, by) + ")"
}

// search adds one to the detection and gives its name.
func (d *drafting) search(name string, of *yaml.Node) string {
	if d.named == nil {
		d.named = map[string]int{}
	}
	if d.named[name]++; d.named[name] > 1 {
		name += "_" + strconv.Itoa(d.named[name])
	}
	put(&d.detection, name, of)
	return name
}

// item is a comparison as Sigma writes it: a field with modifiers, and the value.
// Words have no field.
func (d *drafting) item(e query.Expr) (key string, v *yaml.Node, err error) {
	field, modifier := "", ""
	switch e := e.(type) {
	case query.Word:
		return "", value(text(e.Pattern)), nil
	case query.Has:
		field, modifier, v = e.Field, "|contains", value(text(e.Pattern))
	case query.Like:
		field, v = e.Field, value(text(e.Pattern))
	case query.CIDR:
		field, modifier, v = e.Field, "|cidr", value(e.Prefix.String())
	case query.Exists:
		field, modifier, v = e.Field, "|exists", plain("true")
	case query.Cmp:
		field, modifier = e.Field, map[query.Op]string{query.Lt: "|lt", query.Le: "|lte", query.Gt: "|gt", query.Ge: "|gte"}[e.Op]
		number, ok := e.Value.(float64)
		if !ok {
			return "", nil, d.unsaid(field)
		}
		v = plain(strconv.FormatFloat(number, 'f', -1, 64))
	case query.Eq:
		field = e.Field
		switch x := e.Value.(type) {
		case bool:
			v = plain(strconv.FormatBool(x))
		case string:
			v = value(text(query.Escape(x)))
			if strings.HasPrefix(field, "raw.") && (x == "true" || x == "false") {
				v = plain(x) // of a record it is more often no text
			}
		default:
			return "", nil, d.unsaid(field)
		}
	default:
		return "", nil, fmt.Errorf("no rule can say %s", query.String(e))
	}
	if key, err = d.field(field); err != nil {
		return "", nil, err
	}
	return key + modifier, v, nil
}

// field is what a record calls what the column holds.
func (d *drafting) field(column string) (string, error) {
	if path, ok := strings.CutPrefix(column, "raw."); ok {
		return path, nil
	}
	if name := fields[d.format][column]; name != "" {
		return name, nil
	}
	return "", d.unsaid(column)
}

// unsaid says why a rule cannot speak of the column.
func (d *drafting) unsaid(column string) error {
	switch column {
	case "time", "ingest_time":
		return fmt.Errorf("a rule looks at each event as it comes, whenever that is: leave out %s", column)
	case "uid", "batch", "object", "position":
		return fmt.Errorf("a rule is about events to come: leave out %s, which names one that is stored", column)
	case "raw":
		return errors.New("a rule asks of members of the record: write words by themselves, or raw.PATH")
	}
	why := fmt.Sprintf("a rule sees the record alone, and %s is what Yagura makes of it", column)
	if d.format == CloudTrail && instead[column] != "" {
		return fmt.Errorf("%s: ask for %s instead", why, instead[column])
	}
	return fmt.Errorf("%s: ask for raw.PATH instead, the member of the record", why)
}

// text writes a pattern of filters with Sigma's escapes: a filter's backslash
// takes the meaning from any character, Sigma's only from wildcards and itself.
func text(pattern string) string {
	var b strings.Builder
	escaped := false
	for _, r := range pattern {
		switch {
		case escaped:
			if strings.ContainsRune(`*?\`, r) {
				b.WriteByte('\\')
			}
			b.WriteRune(r)
			escaped = false
		case r == '\\':
			escaped = true
		default:
			b.WriteRune(r)
		}
	}
	if escaped {
		b.WriteString(`\\`)
	}
	return b.String()
}

func node(kind yaml.Kind) *yaml.Node { return &yaml.Node{Kind: kind} }

// value is a text, quoted where YAML would take it for something else.
func value(s string) *yaml.Node {
	n := node(yaml.ScalarNode)
	n.SetString(s)
	return n
}

// plain is a number or truth.
func plain(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: s} }

func put(n *yaml.Node, key string, v *yaml.Node) {
	n.Content = append(n.Content, value(key), v)
}

func has(n *yaml.Node, key string) bool {
	return slices.ContainsFunc(n.Content, func(x *yaml.Node) bool { return x.Kind == yaml.ScalarNode && x.Value == key })
}
