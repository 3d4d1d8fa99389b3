package catalogue

import (
	"time"

	"github.com/yagura-sec/yagura/config"
	"github.com/yagura-sec/yagura/source"
	"github.com/yagura-sec/yagura/source/file"
)

// fileNode is source/file in the configuration.
type fileNode struct {
	Type        string          `yaml:"type"`
	Paths       []string        `yaml:"paths"`
	Follow      bool            `yaml:"follow"`
	Poll        config.Duration `yaml:"poll"`
	Format      string          `yaml:"format"`       // of the records: aws.cloudtrail
	InputFormat string          `yaml:"input_format"` // of the container: records, array, jsonl, json, zeek, csv, lines

	MaxDecompressed config.Bytes `yaml:"max_decompressed"`
	MaxRatio        int64        `yaml:"max_ratio"`
	MaxRecord       config.Bytes `yaml:"max_record"`
	MaxDepth        int          `yaml:"max_depth"`
}

func openFile(n config.Node, asks Asks) (source.Source, error) {
	var f fileNode
	if err := n.Decode(&f); err != nil {
		return nil, err
	}
	formats := asks.formats()
	if f.Format != "" && !formats.Has(f.Format) {
		return nil, unread(f.Format, formats)
	}
	c := file.Config{
		Paths: f.Paths, Follow: f.Follow, Poll: time.Duration(f.Poll), Format: f.Format, InputFormat: f.InputFormat,
		MaxDecompressed: int64(f.MaxDecompressed), MaxRatio: f.MaxRatio, MaxRecord: int(f.MaxRecord), MaxDepth: f.MaxDepth,
		Known: Known(formats), Now: asks.Now,
	}
	if asks.Ledger != nil {
		c.Settled, c.Listed = asks.Ledger.Settled, asks.Ledger.List
	}
	return file.New(c)
}

// Files are the places in which a source looks for files, and whether it goes on to;
// none of a source of another type.
func Files(n config.Node) (paths []string, follow bool, err error) {
	if n.Type != "file" {
		return nil, false, nil
	}
	var f fileNode
	err = n.Decode(&f)
	return f.Paths, f.Follow, err
}
