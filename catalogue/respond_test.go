package catalogue

import (
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/config"
	"github.com/yagura-sec/yagura/respond/aws"
)

func TestResponders(t *testing.T) {
	var all []config.WriteBack
	for _, p := range aws.Products {
		all = append(all, config.WriteBack{Product: p})
	}
	got, err := Responders(all)
	if err != nil || len(got) != len(all) {
		t.Fatalf("%d of %d, %v", len(got), len(all), err)
	}
	for format := range got {
		if format == "" {
			t.Error("a product whose findings come in no format")
		}
	}
	if _, err := Responders(append(all, all[0])); err == nil || !strings.Contains(err.Error(), "write_back[2]: securityhub is there twice") {
		t.Error(err)
	}
	if _, err := Responders([]config.WriteBack{{Product: "scc"}}); err == nil || !strings.Contains(err.Error(), "write_back[0]") {
		t.Error(err)
	}
}
