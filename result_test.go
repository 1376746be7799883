package jpayment_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/japanese"

	"github.com/jpayment-go/jpayment"
)

func TestParseReplyVendorSamples(t *testing.T) {
	t.Parallel()
	success := jpayment.Result{
		PaymentID:    "1095729",
		Status:       jpayment.StatusSucceeded,
		ApprovalCode: jpayment.NewSecret("TestMod"),
		OrderCode:    "205685",
		Amount:       jpayment.Yen(1000),
		Tax:          jpayment.Yen(2),
		Shipping:     jpayment.Yen(4),
		Total:        jpayment.Yen(1006),
	}
	printed := success
	printed.IssuedID = jpayment.NewSecret("..")
	zero := jpayment.Yen(0)
	for name, want := range map[string]jpayment.Result{
		"vendor-success-13.txt":         success,
		"vendor-success-as-printed.txt": printed,
		"vendor-failure-14.txt": {
			PaymentID: "0", Status: jpayment.StatusFailed, Code: "ER900",
			Amount: zero, Tax: zero, Shipping: zero, Total: zero, SubscriptionID: "0",
		},
		"er-prefix.txt": {Status: jpayment.StatusFailed, Code: jpayment.CodeSourceIP},
		"ok.txt":        {Status: jpayment.StatusAccepted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body, err := os.ReadFile("testdata/replies/" + name)
			require.NoError(t, err)
			for _, end := range []string{"", "\r", "\n", "\r\n", " \t\r\n"} {
				got, err := jpayment.ParseReply([]byte(string(body) + end))
				require.NoError(t, err)
				require.Equal(t, &want, got)
			}
		})
	}
}

func TestParseReply(t *testing.T) {
	t.Parallel()
	base := jpayment.Result{
		PaymentID: "77", Status: jpayment.StatusSucceeded, ApprovalCode: jpayment.NewSecret("A00001"), OrderCode: "88", OrderNumber: "o-1",
		Amount: jpayment.Yen(1000), Tax: jpayment.Yen(80), Shipping: jpayment.Yen(500), Total: jpayment.Yen(1580),
	}
	with := func(change func(*jpayment.Result)) jpayment.Result {
		r := base
		change(&r)
		return r
	}
	for name, tt := range map[string]struct {
		reply string
		want  jpayment.Result
	}{
		"all columns": {"77,1,A00001,,88,o-1,1000,80,500,1580,id9,pw9,a=1&b=2", with(func(r *jpayment.Result) {
			r.IssuedID, r.IssuedPassword, r.Other = jpayment.NewSecret("id9"), jpayment.NewSecret("pw9"), jpayment.NewSecret("a=1&b=2")
		})},
		"white space around": {" \r\n77,1,A00001,,88,o-1,1000,80,500,1580,,,\r\n ", base},
		"byte order mark":    {"\uFEFF77,1,A00001,,88,o-1,1000,80,500,1580,,,", base},
		"columns missing":    {"77,1,A00001,,88,o-1,1000,80,500,1580", base},
		"blank amounts": {"77,1,A00001,,88,o-1,,,,,,,", with(func(r *jpayment.Result) {
			r.Amount, r.Tax, r.Shipping, r.Total = jpayment.Amount{}, jpayment.Amount{}, jpayment.Amount{}, jpayment.Amount{}
		})},
		"a comma in cod":      {"77,1,A00001,,88,o,1,1000,80,500,1580,,,", with(func(r *jpayment.Result) { r.OrderNumber = "o,1" })},
		"Japanese in UTF-8":   {"77,1,A00001,,88,注文,1000,80,500,1580,,,備考=表示", with(func(r *jpayment.Result) { r.OrderNumber, r.Other = "注文", jpayment.NewSecret("備考=表示") })},
		"Japanese, Shift_JIS": {shiftJIS(t, "77,1,A00001,,88,注文,1000,80,500,1580,,,備考=表示"), with(func(r *jpayment.Result) { r.OrderNumber, r.Other = "注文", jpayment.NewSecret("備考=表示") })},
		"refused by the issuer": {"0,2,,G1242G120000,,,0,0,0,0,,,", jpayment.Result{
			PaymentID: "0", Status: jpayment.StatusFailed, Code: "G1242G120000",
			Amount: jpayment.Yen(0), Tax: jpayment.Yen(0), Shipping: jpayment.Yen(0), Total: jpayment.Yen(0),
		}},
		"a bare code":          {"ER003", jpayment.Result{Status: jpayment.StatusFailed, Code: "ER003"}},
		"a bare unknown code":  {"ER444", jpayment.Result{Status: jpayment.StatusFailed, Code: "ER444"}},
		"a bare G code":        {"G1142G110000", jpayment.Result{Status: jpayment.StatusFailed, Code: "G1142G110000"}},
		"a bare 42C code":      {"42C010000", jpayment.Result{Status: jpayment.StatusFailed, Code: "42C010000"}},
		"a code of one letter": {"ER:X", jpayment.Result{Status: jpayment.StatusFailed, Code: "X"}},
		"an unknown code":      {"ER:X9", jpayment.Result{Status: jpayment.StatusFailed, Code: "X9"}},
		"unreadable cod": {"77,1,A00001,,88,\xff,1000,80,500,1580,,,", with(func(r *jpayment.Result) {
			r.OrderNumber, r.Unreadable = "\uFFFD", []string{"cod"}
		})},
		"signs in god": {"77,1,A00001,,8-8,o-1,1000,80,500,1580,,,", with(func(r *jpayment.Result) {
			r.OrderCode, r.Unreadable = "8-8", []string{"god"}
		})},
		"unreadable other data": {"77,1,A00001,,88,o-1,1000,80,500,1580,,,k=\xff", with(func(r *jpayment.Result) {
			r.Other, r.Unreadable = jpayment.NewSecret("k=\uFFFD"), []string{"other data"}
		})},
		"line break in the data": {"77,1,A00001,,88,o-1,1000,80,500,1580,,,k=a\r\nb", with(func(r *jpayment.Result) { r.Other = jpayment.NewSecret("k=a\r\nb") })},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := jpayment.ParseReply([]byte(tt.reply))
			require.NoError(t, err)
			tt.want.Extra = got.Extra // See TestResultExtra.
			require.Equal(t, &tt.want, got)
		})
	}
}

func TestParseReplyRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ reply, column, reason string }{
		"nothing":                {"", "", "it is empty"},
		"white space":            {" \r\n", "", "it is empty"},
		"a page":                 {"<html>77,1,A00001,,88,o-1,1000,80,500,1580,,,</html>", "", "it is an HTML page"},
		"a word":                 {"NG", "", "it is neither a row nor OK nor a code"},
		"OK inside a word":       {"OKAY", "", "it is neither a row nor OK nor a code"},
		"ER: alone":              {"ER:", "ec", "after ER: is not a code"},
		"ER: and more":           {"ER:ER003,x", "ec", "after ER: is not a code"},
		"a code cut short":       {"ER00", "", "it is neither a row nor OK nor a code"},
		"cut short":              {"77,1,A00001,,88,o-1,1000,80,5", "ta", "is missing: the row is truncated"},
		"letters in gid":         {"7x,1,A00001,,88,o-1,1000,80,500,1580,,,", "gid", "is not a number of half-width digits"},
		"no gid":                 {",1,A00001,,88,o-1,1000,80,500,1580,,,", "gid", "is not a number of half-width digits"},
		"gid 0 in a success":     {"0,1,A00001,,88,o-1,1000,80,500,1580,,,", "gid", "is 0 although rst says that the payment succeeded"},
		"no rst":                 {"77,,A00001,,88,o-1,1000,80,500,1580,,,", "rst", "is not a number"},
		"rst a word":             {"77,ok,A00001,,88,o-1,1000,80,500,1580,,,", "rst", "is not a number"},
		"rst too large":          {"77,2147483648,A00001,,88,o-1,1000,80,500,1580,,,", "rst", "is not a number"},
		"rst of another kind":    {"77,3,A00001,,88,o-1,1000,80,500,1580,,,", "rst", "is neither 1 nor 2"},
		"success with zeros":     {"77,01,A00001,,88,o-1,1000,80,500,1580,,,", "rst", "is not a number"},
		"signs in ap":            {"77,1,A-1,,88,o-1,1000,80,500,1580,,,", "ap", "has characters other than half-width letters and digits"},
		"success with a code":    {"77,1,A00001,ER032,88,o-1,1000,80,500,1580,,,", "ec", "has a code although rst says that the payment succeeded"},
		"failure without a code": {"0,2,,,,,0,0,0,0,,,", "ec", "is blank although rst says that the payment failed"},
		"failure, code too long": {"0,2,,G1242G1200001,,,0,0,0,0,,,", "ec", "is not a code of 1 to 12 half-width letters and digits"},
		"another total":          {"77,1,A00001,,88,o-1,1000,80,500,1579,,,", "ta", "is not the sum of am, tx and sf"},
		"two rows": {
			"77,1,A00001,,88,o-1,1000,80,500,1580,,,\r\n0,2,,ER032,,,0,0,0,0,,,\r\n",
			"cod", "or a column after it holds commas, and the row does not prove which numbers are the amounts",
		},
		"unprovable": {"77,1,A00001,,88,o,0,0,0,0,0,,,", "cod", "or a column after it holds commas, and the row does not prove which numbers are the amounts"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res, err := jpayment.ParseReply([]byte(tt.reply))
			require.Nil(t, res)
			var re *jpayment.ReplyError
			require.ErrorAs(t, err, &re)
			require.Equal(t, tt.column, re.Column)
			require.Equal(t, tt.reason, re.Reason.En)
			require.Equal(t, tt.reply, string(re.Raw()))
			require.Equal(t, jpayment.OutcomeUnknown, jpayment.OutcomeOf(err))
		})
	}
}

func TestResultExtra(t *testing.T) {
	t.Parallel()
	for other, want := range map[string]map[string]string{
		"":                               nil,
		"a=1&b=":                         {"a": "1", "b": ""},
		"a=1=2&&c":                       {"a": "1=2", "c": ""},
		"note=%E5%B1%B1%20x+y":           {"note": "山 x+y"},
		"note=%8ER":                      {"note": "山"},
		"note=100%":                      {"note": "100%"},
		"note=%ff":                       {"note": "%ff"},
		"line=a%0D%0Ab&%83%81%83%82=%26": {"line": "a\r\nb", "メモ": "&"},
	} {
		res, err := jpayment.ParseReply([]byte("77,1,A00001,,88,o-1,1000,80,500,1580,,," + other))
		require.NoError(t, err)
		require.Equal(t, want, res.Extra.Reveal(), other)
		require.Equal(t, len(want), len(res.Extra.Reveal()), other)
		require.Equal(t, other, res.Other.Reveal())
	}
}

func TestAmount(t *testing.T) {
	t.Parallel()
	n, ok := jpayment.Yen(1580).Int64()
	require.True(t, ok)
	require.Equal(t, int64(1580), n)
	_, ok = jpayment.Amount{}.Int64()
	require.False(t, ok)
	require.NotEqual(t, jpayment.Yen(0), jpayment.Amount{}, "a blank amount is not 0 yen")
	require.Equal(t, "1580 -", fmt.Sprint(jpayment.Yen(1580), " ", jpayment.Amount{}))

	b, err := json.Marshal([]jpayment.Amount{jpayment.Yen(1580), {}})
	require.NoError(t, err)
	require.JSONEq(t, `[1580,null]`, string(b))
	var back []jpayment.Amount
	require.NoError(t, json.Unmarshal(b, &back))
	require.Equal(t, []jpayment.Amount{jpayment.Yen(1580), {}}, back)
	for _, bad := range []string{`1.5`, `-1`, `"1"`, `1e3`} {
		require.Error(t, json.Unmarshal([]byte(bad), new(jpayment.Amount)), bad)
	}
}

func TestStatusString(t *testing.T) {
	t.Parallel()
	require.Equal(t, "succeeded failed accepted status 3",
		fmt.Sprint(jpayment.StatusSucceeded, " ", jpayment.StatusFailed, " ", jpayment.StatusAccepted, " ", jpayment.Status(3)))
}

func FuzzParseReply(f *testing.F) {
	entries, err := os.ReadDir("testdata/replies")
	require.NoError(f, err)
	for _, e := range entries {
		b, err := os.ReadFile("testdata/replies/" + e.Name())
		require.NoError(f, err)
		f.Add(b)
	}
	f.Add([]byte("77,1,A00001,,88,o,1,1000,80,500,1580,i,p,9,k=v"))
	f.Add([]byte("77,1,A00001,,88,\x8ER,,,,,,,"))
	f.Fuzz(func(t *testing.T, b []byte) {
		res, err := jpayment.ParseReply(b)
		if err != nil {
			require.Nil(t, res)
			var re *jpayment.ReplyError
			require.True(t, errors.As(err, &re))
			require.NotEmpty(t, re.Reason.En)
			require.NotEmpty(t, re.Reason.Ja)
			require.Equal(t, string(b), string(re.Raw()))
			return
		}
		switch res.Status {
		case jpayment.StatusSucceeded:
			require.Empty(t, res.Code)
			require.NotEmpty(t, strings.Trim(res.PaymentID, "0"))
			am, _ := res.Amount.Int64()
			tx, _ := res.Tax.Int64()
			sf, _ := res.Shipping.Int64()
			ta, _ := res.Total.Int64()
			require.Equal(t, ta, am+tx+sf)
		case jpayment.StatusFailed:
			require.NotEmpty(t, res.Code)
		default:
			require.Equal(t, jpayment.StatusAccepted, res.Status)
			require.Equal(t, jpayment.Result{Status: jpayment.StatusAccepted}, *res)
		}
	})
}

func shiftJIS(tb testing.TB, s string) string {
	tb.Helper()
	out, err := japanese.ShiftJIS.NewEncoder().String(s)
	require.NoError(tb, err)
	return out
}
