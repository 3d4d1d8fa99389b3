//go:build !unix

package main

import "time"

// processorTime is what this process has taken of processors: not known here.
func processorTime() time.Duration { return 0 }
