// Package correlate evaluates Sigma correlations over hits of the rules they
// refer to.
package correlate
