package logs

import (
	"fmt"
	"time"
)

// Sensor is a record of the endpoint's sensor, as CrowdStrike's Falcon Data
// Replicator writes it: all values are strings.
type Sensor struct {
	Event       string `json:"event_simpleName"`
	Name        string `json:"name"`
	ID          string `json:"id"`
	Agent       string `json:"aid"`
	Customer    string `json:"cid"`
	PublicIP    string `json:"aip"`
	Platform    string `json:"event_platform"`
	Computer    string `json:"ComputerName"`
	At          string `json:"timestamp"`
	Context     string `json:"ContextTimeStamp"`
	LocalIP     string `json:"LocalAddressIP4,omitempty"`
	User        string `json:"UserName,omitempty"`
	Principal   string `json:"UserPrincipal,omitempty"`
	LogonDomain string `json:"LogonDomain,omitempty"`
	LogonType   string `json:"LogonType,omitempty"`
	LogonTime   string `json:"LogonTime,omitempty"`
	LogoffAt    string `json:"LogoffTime,omitempty"`
	Image       string `json:"ImageFileName,omitempty"`
	Command     string `json:"CommandLine,omitempty"`
	Parent      string `json:"ParentBaseFileName,omitempty"`
	Process     string `json:"RawProcessId,omitempty"`
	Started     string `json:"ProcessStartTime,omitempty"`
	SHA256      string `json:"SHA256HashData,omitempty"`
}

// Lease is a record of Zeek's dhcp.log.
type Lease struct {
	At       float64  `json:"ts"`
	UIDs     []string `json:"uids"`
	Client   string   `json:"client_addr"`
	Server   string   `json:"server_addr"`
	MAC      string   `json:"mac"`
	Host     string   `json:"host_name"`
	Domain   string   `json:"domain"`
	Asked    string   `json:"requested_addr"`
	Assigned string   `json:"assigned_addr"`
	Lease    float64  `json:"lease_time"`
	Messages []string `json:"msg_types"`
	Duration float64  `json:"duration"`
}

// Seconds is a time as sensors and proxies write it: seconds, with milliseconds
// behind the point.
func Seconds(t time.Time) string { return fmt.Sprintf("%d.%03d", t.Unix(), t.Nanosecond()/1e6) }

// Proxy is a line of a proxy's log.
type Proxy struct {
	At     time.Time
	Took   int    // milliseconds
	Client string // address
	Result string // "TCP_TUNNEL/200"
	Size   int    // bytes
	Method string
	Target string // URL; of CONNECT host and port
	User   string // "-": nobody had to say
	Via    string // "HIER_DIRECT/198.51.100.7"
	Type   string // of what came back; "-": not seen
}

// Line is p in the format of squid's access.log.
func (p *Proxy) Line() []byte {
	return fmt.Appendf(nil, "%s %6d %s %s %d %s %s %s %s %s", Seconds(p.At), p.Took, p.Client, p.Result, p.Size, p.Method, p.Target, p.User, p.Via, p.Type)
}
