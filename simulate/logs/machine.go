package logs

import (
	"fmt"
	"hash/fnv"
)

// Machine is what a person's device says of itself, everywhere the same.
type Machine struct {
	OS, Version, Arch string
	Platform          string // of the endpoint's sensor
	Gcloud            string // version of the command line tools
	Browser           string
	MAC               string
	Host              uint32 // a number of its own
}

// MachineOf is the machine of a device, by its name.
func MachineOf(device string) Machine {
	h := fnv.New32a()
	h.Write([]byte(device))
	x := h.Sum32()
	m := Machine{Host: x, Gcloud: fmt.Sprintf("%d.0.0", 541+x/7%9), MAC: fmt.Sprintf("02:1c:%02x:%02x:%02x:%02x", x>>24, x>>16&255, x>>8&255, x&255)}
	chrome := 141 + x/63%5
	switch x % 5 {
	case 0, 1:
		m.OS, m.Version, m.Arch, m.Platform = "MACOSX", fmt.Sprintf("25.%d.0", x/11%3), "arm", "Mac"
		m.Browser = fmt.Sprintf("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Safari/537.36", chrome)
	case 2:
		m.OS, m.Version, m.Arch, m.Platform = "LINUX", fmt.Sprintf("6.%d.0", 12+x/11%5), "x86_64", "Lin"
		m.Browser = fmt.Sprintf("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Safari/537.36", chrome)
	default:
		m.OS, m.Version, m.Arch, m.Platform = "WINDOWS", fmt.Sprintf("10.0.%d", 26100+x/11%3*100), "x86_64", "Win"
		m.Browser = fmt.Sprintf("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Safari/537.36 Edg/%d.0.0.0", chrome, chrome)
	}
	return m
}

// GcloudAgent is the user agent of the command line tools for a command.
func (m Machine) GcloudAgent(command, invocation string) string {
	tail := map[string]string{"MACOSX": "Macintosh; Intel Mac OS X " + m.Version, "LINUX": "Linux " + m.Version, "WINDOWS": "Windows NT " + m.Version}[m.OS]
	return fmt.Sprintf("google-cloud-sdk gcloud/%s command/gcloud.%s invocation-id/%s environment/None environment-version/None client-os/%s client-os-ver/%s client-pltf-arch/%s interactive/True from-script/False python/3.13.7 term/xterm-256color (%s),gzip(gfe)",
		m.Gcloud, command, invocation, m.OS, m.Version, m.Arch, tail)
}
