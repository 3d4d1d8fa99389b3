package streams

import (
	"fmt"
	"hash/fnv"
	"time"

	"github.com/yagura-sec/yagura/simulate/estate"
)

// machine is what a person's device says of itself, everywhere the same.
type machine struct {
	os, version, arch string
	platform          string // of the endpoint's sensor
	gcloud            string // version of the command line tools
	browser           string
	mac               string
	host              uint32
}

func machineOf(p *estate.Person) machine {
	h := fnv.New32a()
	h.Write([]byte(p.Device))
	x := h.Sum32()
	m := machine{host: x, gcloud: fmt.Sprintf("%d.0.0", 541+x/7%9), mac: fmt.Sprintf("02:1c:%02x:%02x:%02x:%02x", x>>24, x>>16&255, x>>8&255, x&255)}
	chrome := 141 + x/63%5
	switch x % 5 {
	case 0, 1:
		m.os, m.version, m.arch, m.platform = "MACOSX", fmt.Sprintf("25.%d.0", x/11%3), "arm", "Mac"
		m.browser = fmt.Sprintf("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Safari/537.36", chrome)
	case 2:
		m.os, m.version, m.arch, m.platform = "LINUX", fmt.Sprintf("6.%d.0", 12+x/11%5), "x86_64", "Lin"
		m.browser = fmt.Sprintf("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Safari/537.36", chrome)
	default:
		m.os, m.version, m.arch, m.platform = "WINDOWS", fmt.Sprintf("10.0.%d", 26100+x/11%3*100), "x86_64", "Win"
		m.browser = fmt.Sprintf("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Safari/537.36 Edg/%d.0.0.0", chrome, chrome)
	}
	return m
}

// gcloudAgent is the user agent of the command line tools for a command.
func (m machine) gcloudAgent(command, invocation string) string {
	tail := map[string]string{"MACOSX": "Macintosh; Intel Mac OS X " + m.version, "LINUX": "Linux " + m.version, "WINDOWS": "Windows NT " + m.version}[m.os]
	return fmt.Sprintf("google-cloud-sdk gcloud/%s command/gcloud.%s invocation-id/%s environment/None environment-version/None client-os/%s client-os-ver/%s client-pltf-arch/%s interactive/True from-script/False python/3.13.7 term/xterm-256color (%s),gzip(gfe)",
		m.gcloud, command, invocation, m.os, m.version, m.arch, tail)
}

// leases is how many addresses the offices' networks have.
const leases = 24 * 250

// lease is the address within the office's network that a device has on a day:
// nobody else's on that day and, with up to a third as many people, the next.
func lease(number int, day time.Time) string {
	k := (number + int(day.Unix()/86400)*leases/3) % leases
	return fmt.Sprintf("172.20.%d.%d", 64+k/250, 3+k%250)
}

// local is the address that a device has where it is.
func (d *shift) local() string {
	if d.home {
		return fmt.Sprintf("192.168.%d.%d", machineOf(d.person).host%4, 20+machineOf(d.person).host/4%200)
	}
	return lease(d.number, d.date)
}
