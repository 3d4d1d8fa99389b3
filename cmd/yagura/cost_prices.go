package main

import (
	"fmt"
	"os"

	"github.com/yagura-sec/yagura/cost/price"
)

// costPrices are the prices that come with the program, those of the configuration's
// file in their place.
func (p *program) costPrices() (*price.List, error) {
	path := p.cfg.Cost.Prices
	if path == "" {
		return price.Builtin(), nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, exit{exitUsage, fmt.Errorf("cost.prices: %w", err)}
	}
	own, err := price.Parse(path, text)
	if err != nil {
		return nil, exit{exitUsage, fmt.Errorf("cost.prices: %w", err)}
	}
	return price.Builtin().With(own), nil
}
