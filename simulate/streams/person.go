package streams

import (
	"fmt"
	"time"

	"github.com/yagura-sec/yagura/simulate/logs"
)

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
		return fmt.Sprintf("192.168.%d.%d", logs.MachineOf(d.person.Device).Host%4, 20+logs.MachineOf(d.person.Device).Host/4%200)
	}
	return lease(d.number, d.date)
}
