package picture

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/internal/golden"
	"github.com/yagura-sec/yagura/mask"
	"github.com/yagura-sec/yagura/say"
)

var april = time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)

func amounts(all ...string) (out []decimal.Decimal) {
	for _, s := range all {
		out = append(out, decimal.RequireFromString(s))
	}
	return out
}

func shares() Shares {
	total := decimal.RequireFromString("61234.5")
	s := Shares{Month: april, Currency: "USD", Security: decimal.RequireFromString("4312.104"), Total: &total}
	for _, x := range []struct {
		name  string
		trend []decimal.Decimal
	}{
		{"AWS Config", amounts("2100", "2300.5", "3011.404")}, {"Amazon GuardDuty", amounts("900", "920", "880.20")}, {"AWS KMS", amounts("210", "208", "211.5")},
		{"AWS CloudTrail", amounts("150", "0", "141")}, {"Secrets Manager", amounts("68")},
	} {
		s.Rows = append(s.Rows, Share{x.name, x.trend[len(x.trend)-1], x.trend})
	}
	s.Notes = []say.Text{say.Plain("3 rows of the bill of 2026-04 could not be read: the amounts are without them.")}
	return s
}

func changes() Changes {
	x := Changes{Account: "111122223333", Notes: []say.Text{say.Plain("92 % come from the ECS service web in cluster kite: it is started and stopped all the time.")}}
	for i := range 7 {
		x.Days = append(x.Days, april.AddDate(0, 0, i))
	}
	x.Series = []Series{
		{"CreateNetworkInterface", []int64{8500, 8512, 8490, 8501, 8507, 8499, 8500}},
		{"DeleteNetworkInterface", []int64{8500, 8510, 8492, 8500, 8506, 8500, 8499}},
		{"UpdateService", []int64{3, 0, 2, 400, 1, -1, 2}},
	}
	return x
}

func breakEven() BreakEven {
	x := BreakEven{At: 4}
	for _, q := range []Point{
		{Name: "AWS::EC2::NetworkInterface", Items: 510_000, ResourceDays: 900, Saving: decimal.RequireFromString("1519.20"), Against: true},
		{Name: "AWS::EC2::Subnet", Items: 255_000, ResourceDays: 720, Saving: decimal.RequireFromString("756.36")},
		{Name: "AWS::EC2::SecurityGroup", Items: 255_000, ResourceDays: 1200, Saving: decimal.RequireFromString("750.60")},
		{Name: "AWS::EC2::VPC", Items: 240_000, ResourceDays: 90, Saving: decimal.RequireFromString("718.92")},
		{Name: "AWS::ECS::Task", Items: 12_000, Saving: decimal.RequireFromString("36")},
		{Name: "AWS::S3::Bucket", Items: 300, ResourceDays: 75},
		{Name: "AWS::IAM::Role", Items: 120, ResourceDays: 118, Saving: decimal.RequireFromString("-1.056")},
		{Name: "AWS::IAM::User", Items: 10, ResourceDays: 40, Saving: decimal.RequireFromString("-0.45")},
		{Name: "AWS::Config::ResourceCompliance", Items: 400_000, ResourceDays: 4000, Cannot: true},
	} {
		q.Account, q.Currency = "111122223333", "USD"
		x.Points = append(x.Points, q)
	}
	return x
}

// TestGolden: look at the files after a change; -update rewrites them.
func TestGolden(t *testing.T) {
	f := func(name string, p *Picture) {
		t.Helper()
		golden.Check(t, "testdata/"+name+".svg", p.SVG())
	}
	japanese := Look{Language: say.Japanese, Dark: true}
	f("shares", shares().Draw(Look{}))
	f("shares-ja-dark", shares().Draw(japanese))
	f("changes", changes().Draw(Look{}))
	f("changes-ja-dark", changes().Draw(japanese))
	f("break-even", breakEven().Draw(Look{}))
	f("break-even-ja-dark", breakEven().Draw(japanese))
	f("nothing", Shares{Month: april}.Draw(Look{}))
}

// wellFormed gives all text of an SVG, and fails where it is no XML or has an
// element that is not ours.
func wellFormed(t *testing.T, svg []byte) string {
	t.Helper()
	var out strings.Builder
	for dec := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return out.String()
		}
		if err != nil {
			t.Fatalf("it is no XML: %v", err)
		}
		switch x := token.(type) {
		case xml.CharData:
			out.Write(x)
		case xml.StartElement:
			switch x.Name.Local {
			case "svg", "title", "rect", "circle", "polyline", "text":
			default:
				t.Errorf("it has an element %s", x.Name.Local)
			}
			for _, a := range x.Attr {
				if strings.HasPrefix(strings.ToLower(a.Name.Local), "on") || strings.Contains(a.Name.Local, "href") {
					t.Errorf("it has %s=%q", a.Name.Local, a.Value)
				}
			}
		}
	}
}

// TestHostile: names are drawn as text, whatever they are.
func TestHostile(t *testing.T) {
	for _, name := range []string{
		`<script>alert("x")</script>`, "</text><image href='http://203.0.113.1/x'/>", "&lt;&#x0;", "\x00\x1b[31m\xff\xfe", "\u202egnp.exe", strings.Repeat("W", 100_000), strings.Repeat("あ", 5000), "😀🇯🇵", "",
	} {
		s, c, b := shares(), changes(), breakEven()
		s.Rows[0].Name, s.Currency, c.Account, c.Series[0].Name, b.Points[0].Name, b.Points[0].Account = name, name, name, name, name, name
		s.Notes[0], c.Notes[0] = say.Plain(name), say.Plain(name)
		for _, p := range []*Picture{s.Draw(Look{}), c.Draw(Look{}), b.Draw(Look{Language: say.Japanese})} {
			svg := p.SVG()
			if text := wellFormed(t, svg); strings.ContainsAny(text, "\u202e\x1b\x00") {
				t.Errorf("%.40q is drawn as it is", name)
			}
			if len(svg) > 200_000 {
				t.Errorf("%.40q makes a picture of %d bytes", name, len(svg))
			}
			if _, err := p.PNG(); err != nil {
				t.Errorf("%.40q: %v", name, err)
			}
		}
	}
}

// TestMasked: no name is left that the mask hides.
func TestMasked(t *testing.T) {
	m, err := mask.New([]byte("a key of a test, long enough"))
	if err != nil {
		t.Fatal(err)
	}
	c, b := changes(), breakEven()
	c.Series[0].Name = "arn:aws:ecs:eu-west-1:111122223333:service/kite/web"
	c.Notes[0] = say.Plain("most come from 111122223333")
	for _, p := range []*Picture{c.Draw(Look{Mask: m.Text}), b.Draw(Look{Mask: m.Text})} {
		text := wellFormed(t, p.SVG())
		if strings.Contains(text, "111122223333") || !strings.Contains(text, m.Account("111122223333")) {
			t.Errorf("masked it says %s", text)
		}
	}
}

func TestPNG(t *testing.T) {
	for _, look := range []Look{{}, {Dark: true, Language: say.Japanese}} {
		p := shares().Draw(look)
		b, err := p.PNG()
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if got := img.Bounds().Size(); got.X != 1920 || got.Y != int(p.height*dots) {
			t.Errorf("it is %v", got)
		}
		paper, bar := rgb(p.colour.paper), rgb(p.colour.neutral)
		if img.At(1, 1) != paper {
			t.Errorf("the paper is %v", img.At(1, 1))
		}
		if at := img.At((margin+250+12+20)*dots, (76+15)*dots); at != bar {
			t.Errorf("the first bar is %v, not %v", at, bar)
		}
		again, err := shares().Draw(look).PNG()
		if err != nil || !bytes.Equal(b, again) {
			t.Errorf("drawn again it is another: %v", err)
		}
	}
}

// TestLetters: Japanese letters are drawn, and not as the box of what is unknown.
func TestLetters(t *testing.T) {
	p := newPen(24, false)
	for _, r := range "セキュリティサービスの費用を継続的記録と日次記録で比較" {
		if p.has(r) {
			continue
		}
		if w := p.advance(r); w != 24 {
			t.Errorf("%c is %v wide", r, w)
		}
	}
	if a, b := width("継続", 12, false), width("ab", 12, false); a != 24 || b >= a || b <= 0 {
		t.Errorf("widths %v, %v", a, b)
	}
}

func TestCut(t *testing.T) {
	f := func(text string, most float64, want string) {
		t.Helper()
		if got := cut(text, 12, false, most); got != want {
			t.Errorf("%q in %v is %q, want %q", text, most, got, want)
		}
	}
	f("short", 100, "short")
	f("", 100, "")
	f("AWS::EC2::NetworkInterface", 1, "")
	if got := cut("AWS::EC2::NetworkInterface", 12, false, 80); !strings.HasSuffix(got, "…") || width(got, 12, false) > 80 || len(got) < 8 {
		t.Errorf("cut to %q", got)
	}
}

func TestWrap(t *testing.T) {
	for _, text := range []string{"one two three four five six seven eight nine ten", "変更のあったリソース 1 日あたりの設定項目数。4 を超えると日次記録のほうが安い", strings.Repeat("x", 500)} {
		rows := wrap(text, 12, 120)
		if len(rows) < 2 {
			t.Errorf("%s is in %d rows", text, len(rows))
		}
		for _, r := range rows {
			if width(r, 12, false) > 120 {
				t.Errorf("a row is too wide: %s", r)
			}
		}
		if got, want := strings.ReplaceAll(strings.Join(rows, ""), " ", ""), strings.ReplaceAll(text, " ", ""); got != want {
			t.Errorf("it says %s, not %s", got, want)
		}
	}
}

func TestTick(t *testing.T) {
	f := func(top, want float64) {
		t.Helper()
		if got := tick(top); got != want {
			t.Errorf("up to %v by %v, want %v", top, got, want)
		}
	}
	f(0, 1)
	f(3, 1)
	f(17, 5)
	f(100, 20)
	f(17_022, 5000)
	f(1_000_000, 200_000)
}
