//go:build race

package local

// limitAddressSpace is off: the race detector's shadow memory takes terabytes of
// addresses. Such a build is for tests only.
const limitAddressSpace = false
