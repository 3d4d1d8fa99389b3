//go:build !race

package local

// limitAddressSpace: DuckDB's own memory_limit is no hard bound.
const limitAddressSpace = true
