package daemonproc

import (
	"fmt"
	"net"
	"os"
	"strconv"
)

// FreePorts returns the first of n ports in a row on which nobody listens at this moment. They are below those that systems
// give to outgoing connections: a port that a system chose itself (port 0) could be taken by one while a killed daemon is
// not back yet.
func FreePorts(n int) (int, error) {
	const first, last = 20000, 30000
search:
	for from := first + os.Getpid()%5000; from < last; from += n {
		for port := from; port < from+n; port++ {
			l, err := net.Listen("tcp", Local(port))
			if err != nil {
				continue search
			}
			l.Close()
		}
		return from, nil
	}
	return 0, fmt.Errorf("daemonproc: no %d free ports in a row below %d", n, last)
}

// Local is the address of a port of this machine.
func Local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
