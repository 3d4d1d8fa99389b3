package correlate

// Words is the condition of c as firings say it.
func Words(c *Correlation) string { return c.text }
