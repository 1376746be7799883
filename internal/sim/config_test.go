package sim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/internal/sim"
)

func TestRows(t *testing.T) {
	t.Parallel()
	type options = []option
	const (
		sale  = "aid=123456&jb=SALES&rt=1&tid=10000001"
		again = "aid=123456&jb=SALES&rt=1&tid=1"
	)
	tests := map[string]struct {
		options options
		form    string
		want    string
	}{
		"13 columns":            {options{}, sale, "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\r\n"},
		"13, refused":           {options{withColumns(13)}, again, "0,2,,ER053,,,0,0,0,0,,,\r\n"},
		"14 columns":            {options{withColumns(14)}, sale, "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,0,\r\n"},
		"14, with other data":   {options{withColumns(14)}, sale + "&a=1&b=2", "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,0,a=1&b=2\r\n"},
		"14, refused":           {options{withColumns(14)}, again, "0,2,,ER053,,,0,0,0,0,,,0,\r\n"},
		"11 columns":            {options{withColumns(11)}, sale, "10000001,1,0001112,,20000001,test,1000,80,500,1580,\r\n"},
		"11, with other data":   {options{withColumns(11)}, sale + "&a=1", "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,a=1\r\n"},
		"11, refused":           {options{withColumns(11)}, again, "0,2,,ER053,,,0,0,0,0,\r\n"},
		"no line ending":        {options{withLineEnding("")}, sale, "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,"},
		"CR":                    {options{withLineEnding("\r")}, sale, "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\r"},
		"CRLF":                  {options{withLineEnding("\r\n")}, again, "0,2,,ER053,,,0,0,0,0,,,\r\n"},
		"refused, other data":   {options{}, again + "&a=1", "0,2,,ER053,,,0,0,0,0,,,\r\n"},
		"a store of its own":    {options{withStoreID("000001")}, sale, "0,2,,ER004,,,0,0,0,0,,,\r\n"},
		"the store of its own":  {options{withStoreID("000001")}, "aid=000001&jb=SALES&rt=1&tid=1", "0,2,,ER053,,,0,0,0,0,,,\r\n"},
		"short, no line ending": {options{withLineEnding("")}, "aid=123456&jb=SALES&rt=0&tid=10000001", "OK"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, test.options...)
			s.Authorize(order)
			require.Equal(t, test.want, post(t, s, gatewayPage, test.form))
			require.Equal(t, test.want, string(s.Requests()[0].Answer))
		})
	}
}

func TestOrderNumberInARow(t *testing.T) {
	t.Parallel()
	a := order
	a.OrderNumber = "注文,①"
	tests := map[string]struct {
		options []option
		want    string
		charset string
	}{
		"UTF-8":     {nil, "注文,①", "UTF-8"},
		"Shift_JIS": {[]option{withShiftJISReplies()}, "\x92\x8d\x95\xb6,\x87\x40", "Shift_JIS"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, test.options...)
			s.Authorize(a)
			_, header, body, err := send(t, "POST", s.URL+gatewayPage, formType, "aid=123456&jb=SALES&rt=1&tid=10000001")
			require.NoError(t, err)
			require.Equal(t, "10000001,1,0001112,,20000001,"+test.want+",1000,80,500,1580,,,\r\n", body)
			require.Equal(t, "text/html; charset="+test.charset, header.Get("Content-Type"))
		})
	}
}

// The hak values are what sha256sum prints for ut followed by "secret".
func TestConnectionAuth(t *testing.T) {
	t.Parallel()
	const (
		now   = "2026-03-01T01:00:00Z" // 1772326800
		hak   = "e5a709621ab74253bf21f48b15fd9edd6d12a2d6c8b871175c605e7992bd85da"
		early = "ut=1772326500&hak=1091dccc6ff7c9dfcedc73821470397e7df9a5ea32a07bfeaf138e5667085055"
		late  = "ut=1772327100&hak=079e5f73e8b36c7ce9ade3a49fae7f430e4de19af3be78fa78230f20a29b93c7"
	)
	tests := map[string]struct{ auth, want string }{
		"right":            {"ut=1772326800&hak=" + hak, "OK\r\n"},
		"5 minutes early":  {early, "OK\r\n"},
		"5 minutes late":   {late, "OK\r\n"},
		"too early":        {"ut=1772326499&hak=a7b1fe55a549e8ca1063bc0bd012c72c1458920f4f1cb6e7e97ecfb7a346d210", "ER:ER003\r\n"},
		"too late":         {"ut=1772327101&hak=ac221e5aaaa8b2d1a16ef921f0cfbf8f6e0bc49db10491668e4c76faee8381ce", "ER:ER003\r\n"},
		"another code":     {"ut=1772326800&hak=65416552cb1ff0787eef2aca3b679c2bf27ad313194fa852ea5490357280b518", "ER:ER003\r\n"},
		"of another time":  {"ut=1772326801&hak=" + hak, "ER:ER003\r\n"},
		"upper-case":       {"ut=1772326800&hak=E5A709621AB74253BF21F48B15FD9EDD6D12A2D6C8B871175C605E7992BD85DA", "ER:ER003\r\n"},
		"no hak":           {"ut=1772326800", "ER:ER003\r\n"},
		"no ut":            {"hak=" + hak, "ER:ER003\r\n"},
		"ut empty":         {"ut=&hak=2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b", "ER:ER003\r\n"},
		"ut not digits":    {"ut=%2B1772326800&hak=7c51591f2d9650091da579762b7b40f89ffa3c546416fb30def09f9dc0f6129f", "ER:ER003\r\n"},
		"ut beyond an age": {"ut=9223372036854775807&hak=9d25c85ee0fe92b17e73ce88fb8e8cf4a523b4bda178e4e418533bedf1ed3073", "ER:ER003\r\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, at(t, now), withConnectionAuth("secret"))
			s.RegisterIPs() // has no effect with connection authentication
			s.Authorize(order)
			require.Equal(t, test.want, post(t, s, gatewayPage, "aid=123456&jb=SALES&rt=0&tid=10000001&"+test.auth))
			require.Equal(t, "ER:ER004\r\n", post(t, s, gatewayPage, "aid=123457&jb=SALES&rt=0&tid=10000001&"+test.auth))
		})
	}
}

func TestConfigThatCannotBeMeant(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]option{
		"store of five digits":  withStoreID("12345"),
		"store of a full width": withStoreID("１２"),
		"line feed":             withLineEnding("\n"),
		"12 columns":            withColumns(12),
		"a delay beyond 30 s":   withKickbackDelay(30*time.Second + 1),
		"a negative delay":      withKickbackDelay(-1),
		"a retry at once":       withKickbackRetries(time.Second, 0),
		"no timeout":            withKickbackTimeout(0),
		"negative duplicates":   withKickbackDuplicates(-1),
		"acid of other letters": withKickbackACID("1a"),
		"negative memory":       withMemory(-1),
		"negative bytes":        func(c *sim.Config) { c.MemoryBytes = -1 },
		"a gap":                 func(c *sim.Config) { c.Payments = []sim.Payment{{ID: "10000002"}} },
	} {
		require.Panics(t, func() { newSimulator(change) }, name)
	}
	require.NotPanics(t, func() { newSimulator(withKickbackDelay(30 * time.Second)) })
}
