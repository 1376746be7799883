package sim_test

import (
	"cmp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/internal/sim"
)

func TestReAuth(t *testing.T) {
	t.Parallel()
	authorized, now := day(t, "2026-02-01T00:00:00+09:00"), day(t, "2026-03-31T23:59:59+09:00")
	s := newServer(t, at(t, "2026-03-31T14:59:59Z"))
	a := order
	a.At = authorized
	id := s.Authorize(a)

	require.Equal(t, "10000002,1,0001113,,20000002,test,900,72,0,972,,,note=x\r\n", post(t, s, reAuthPage,
		"aid=123456&rt=1&tid=10000001&am=900&tx=72&sf=0&em=a%40example.com&pn=0312345678&note=x"))

	old, _ := s.Payment(id)
	require.Equal(t, sim.Cancelled, old.State)
	require.Equal(t, "10000002", old.ReplacedBy)
	require.Equal(t, int64(1000), old.Amount)
	require.Equal(t, []sim.Event{
		{At: authorized, Operation: sim.OpAuthorize, State: sim.Authorized},
		{At: now.UTC(), Operation: jpayment.OpReAuth, State: sim.Cancelled, Request: 1},
	}, old.History)

	replacement, found := s.Payment("10000002")
	require.True(t, found)
	require.Equal(t, sim.Payment{
		ID: "10000002", State: sim.Authorized,
		Amount: 900, Tax: 72, Shipping: 0,
		OrderNumber: "test", OrderCode: "20000002", ApprovalCode: "0001113",
		AuthorizedAt: now.UTC(), Replaces: "10000001",
		History: []sim.Event{
			{At: now.UTC(), Operation: jpayment.OpReAuth, State: sim.Authorized, Request: 1},
		},
	}, replacement)

	r := s.Requests()[0]
	require.True(t, r.Booked)
	require.Equal(t, jpayment.OpReAuth, r.Operation)

	require.Equal(t, "10000002,1,0001113,,20000002,test,900,72,0,972,,,\r\n",
		post(t, s, gatewayPage, "aid=123456&jb=SALES&rt=1&tid=10000002"))
	require.Equal(t, refused("ER032"), post(t, s, gatewayPage, "aid=123456&jb=SALES&rt=1&tid=10000001"))
}

func TestReAuthOfACapturedPayment(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	id := s.Authorize(order)
	post(t, s, gatewayPage, "aid=123456&jb=SALES&rt=0&tid="+id)
	require.Equal(t, "OK\r\n", post(t, s, reAuthPage, "aid=123456&rt=0&am=1&tx=0&sf=0&tid="+id))
	require.Equal(t, sim.Cancelled, state(t, s, id))
	require.Equal(t, sim.Authorized, state(t, s, "10000002"))
}

func TestCheckedParametersOfReAuthPage(t *testing.T) {
	t.Parallel()
	const target = "aid=123456&rt=1&tid=10000001"
	tests := map[string]struct{ form, want string }{
		"aid missing":              {"rt=1&tid=10000001&am=1&tx=0&sf=0", "ER050"},
		"rt missing":               {"aid=123456&tid=10000001&am=1&tx=0&sf=0", "ER052"},
		"rt 2":                     {"aid=123456&rt=2&tid=10000001&am=1&tx=0&sf=0", "ER052"},
		"tid missing":              {"aid=123456&rt=1&am=1&tx=0&sf=0", "ER053"},
		"tid unknown":              {"aid=123456&rt=1&tid=1&am=1&tx=0&sf=0", "ER053"},
		"tid before am":            {"aid=123456&rt=1&tid=1&am=&tx=0&sf=0", "ER053"},
		"am missing":               {target + "&tx=0&sf=0", "ER061"},
		"am empty":                 {target + "&am=&tx=0&sf=0", "ER061"},
		"am negative":              {target + "&am=-1&tx=0&sf=5", "ER061"},
		"am with a plus":           {target + "&am=%2B1&tx=0&sf=0", "ER061"},
		"am with a space":          {target + "&am=+1&tx=0&sf=0", "ER061"},
		"am with a comma":          {target + "&am=1,000&tx=0&sf=0", "ER061"},
		"am with a fraction":       {target + "&am=1.0&tx=0&sf=0", "ER061"},
		"am in hexadecimal":        {target + "&am=0x10&tx=0&sf=0", "ER061"},
		"am with an underscore":    {target + "&am=1_0&tx=0&sf=0", "ER061"},
		"am in full-width digits":  {target + "&am=%EF%BC%91%EF%BC%90&tx=0&sf=0", "ER061"},
		"am in Arabic digits":      {target + "&am=%D9%A1&tx=0&sf=0", "ER061"},
		"am beyond an int64":       {target + "&am=9223372036854775808&tx=0&sf=0", "ER061"},
		"am repeated":              {target + "&am=1&am=1&tx=0&sf=0", "ER001"},
		"tx missing":               {target + "&am=1&sf=0", "ER062"},
		"tx negative":              {target + "&am=5&tx=-1&sf=0", "ER062"},
		"tx in full-width digits":  {target + "&am=1&tx=%EF%BC%90&sf=0", "ER062"},
		"sf missing":               {target + "&am=1&tx=0", "ER063"},
		"sf a letter":              {target + "&am=1&tx=0&sf=O", "ER063"},
		"nothing in total":         {target + "&am=0&tx=0&sf=0", "ER061"},
		"more than fits, by tax":   {target + "&am=9223372036854775807&tx=1&sf=0", "ER061"},
		"more than fits, by all":   {target + "&am=9223372036854775806&tx=1&sf=1", "ER061"},
		"em without @":             {target + "&am=1&tx=0&sf=0&em=example.com", "ER059"},
		"em without a name":        {target + "&am=1&tx=0&sf=0&em=@example.com", "ER059"},
		"em without a domain":      {target + "&am=1&tx=0&sf=0&em=a@", "ER059"},
		"em with two @":            {target + "&am=1&tx=0&sf=0&em=a@b@example.com", "ER059"},
		"em with a space":          {target + "&am=1&tx=0&sf=0&em=a+b@example.com", "ER059"},
		"em with a line break":     {target + "&am=1&tx=0&sf=0&em=a@example.com%0A", "ER059"},
		"em in Japanese":           {target + "&am=1&tx=0&sf=0&em=%E3%81%82@example.com", "ER059"},
		"em of 255 bytes":          {target + "&am=1&tx=0&sf=0&em=" + strings.Repeat("a", 243) + "@example.com", "ER059"},
		"pn with hyphens":          {target + "&am=1&tx=0&sf=0&pn=03-1234-5678", "ER060"},
		"pn with a plus":           {target + "&am=1&tx=0&sf=0&pn=%2B81312345678", "ER060"},
		"pn of 16 digits":          {target + "&am=1&tx=0&sf=0&pn=0123456789012345", "ER060"},
		"pn in full-width digits":  {target + "&am=1&tx=0&sf=0&pn=%EF%BC%90", "ER060"},
		"other data of 1,025":      {target + "&am=1&tx=0&sf=0&x=" + strings.Repeat("x", 1023), "ER001"},
		"am before em, as ordered": {target + "&em=x&am=&tx=0&sf=0", "ER061"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			id := s.Authorize(order)
			body := post(t, s, reAuthPage, test.form)
			if strings.Contains(test.form, "rt=1") {
				require.Equal(t, refused(test.want), body)
			} else {
				require.Equal(t, "ER:"+test.want+"\r\n", body)
			}
			require.Equal(t, sim.Authorized, state(t, s, id))
			require.Len(t, s.Payments(), 1)
			require.False(t, s.Requests()[0].Booked)
		})
	}
}

func TestAcceptedParametersOfReAuthPage(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ form, amounts string }{
		"the greatest total":  {"am=9223372036854775805&tx=1&sf=1", "9223372036854775805,1,1,9223372036854775807"},
		"no amount but tax":   {"am=0&tx=1&sf=0", "0,1,0,1"},
		"leading zeros":       {"am=0100&tx=00&sf=0", "100,0,0,100"},
		"em and pn empty":     {"am=1&tx=0&sf=0&em=&pn=", "1,0,0,1"},
		"em of 254 bytes":     {"am=1&tx=0&sf=0&em=" + strings.Repeat("a", 242) + "@example.com", "1,0,0,1"},
		"pn of 15 digits":     {"am=1&tx=0&sf=0&pn=012345678901234", "1,0,0,1"},
		"digits written as %": {"am=%31%30&tx=0&sf=0", "10,0,0,10"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			s.Authorize(order)
			require.Equal(t, "10000002,1,0001113,,20000002,test,"+test.amounts+",,,\r\n",
				post(t, s, reAuthPage, "aid=123456&rt=1&tid=10000001&"+test.form))
		})
	}
}

func TestWhatCannotBeReAuthorized(t *testing.T) {
	t.Parallel()
	const now = "2026-03-15T12:00:00+09:00"
	tests := map[string]struct {
		at      string
		product bool
		want    string // empty if accepted
	}{
		"this month":                         {at: "2026-03-01T00:00:00+09:00"},
		"the first instant of last month":    {at: "2026-02-01T00:00:00+09:00"},
		"that instant in UTC":                {at: "2026-01-31T15:00:00Z"},
		"the last instant of two months ago": {at: "2026-01-31T23:59:59+09:00", want: "ER053"},
		"that instant in UTC again":          {at: "2026-01-31T14:59:59Z", want: "ER053"},
		"this month, a year ago":             {at: "2025-03-15T12:00:00+09:00", want: "ER053"},
		"a registered product":               {at: now, product: true, want: "ER053"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, at(t, now))
			id := s.Authorize(sim.Authorization{
				Amount: 1, At: day(t, test.at), RegisteredProduct: test.product,
			})
			body := post(t, s, reAuthPage, "aid=123456&rt=1&am=1&tx=0&sf=0&tid="+id)
			if test.want != "" {
				require.Equal(t, refused(test.want), body)
				require.Equal(t, sim.Authorized, state(t, s, id))
			} else {
				require.Equal(t, "10000002,1,0001113,,20000002,,1,0,0,1,,,\r\n", body)
			}
		})
	}
}

func TestReAuthInJanuaryOfAPaymentOfDecember(t *testing.T) {
	t.Parallel()
	s := newServer(t, at(t, "2026-01-31T12:00:00+09:00"))
	id := s.Authorize(sim.Authorization{Amount: 1, At: day(t, "2025-12-01T00:00:00+09:00")})
	require.Equal(t, "OK\r\n", post(t, s, reAuthPage, "aid=123456&rt=0&am=1&tx=0&sf=0&tid="+id))
}

func TestReAuthOfACancelledPayment(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	id := s.Authorize(order)
	post(t, s, gatewayPage, "aid=123456&jb=CANCEL&rt=0&tid="+id)
	require.Equal(t, refused("ER033"), post(t, s, reAuthPage, "aid=123456&rt=1&am=1&tx=0&sf=0&tid="+id))
	require.Len(t, s.Payments(), 1)
}

func TestIssuerDeclines(t *testing.T) {
	t.Parallel()
	const reAuth = "aid=123456&rt=1&am=1&tx=0&sf=0&x=y&tid=10000001"
	a := order
	a.Decline = "G1242G120000"

	t.Run("a capture", func(t *testing.T) {
		t.Parallel()
		s := newServer(t)
		id := s.Authorize(a)
		require.Equal(t, declinedRow, post(t, s, gatewayPage, "aid=123456&jb=SALES&rt=1&x=y&tid="+id))
		require.Equal(t, "ER:G1242G120000\r\n", post(t, s, gatewayPage, "aid=123456&jb=SALES&rt=0&tid="+id))
		require.Equal(t, sim.Authorized, state(t, s, id))
		require.Equal(t, "OK\r\n", post(t, s, gatewayPage, "aid=123456&jb=CANCEL&rt=0&tid="+id))
	})
	t.Run("a re-authorisation, which keeps the original", func(t *testing.T) {
		t.Parallel()
		s := newServer(t)
		id := s.Authorize(a)
		require.Equal(t, declinedRow, post(t, s, reAuthPage, reAuth))
		require.Equal(t, sim.Authorized, state(t, s, id))
		require.Len(t, s.Payments(), 1)
		require.False(t, s.Requests()[0].Booked)
	})
	t.Run("a re-authorisation, which cancels the original", func(t *testing.T) {
		t.Parallel()
		s := newServer(t, withDeclineCancelling())
		id := s.Authorize(a)
		require.Equal(t, declinedRow, post(t, s, reAuthPage, reAuth))
		p, _ := s.Payment(id)
		require.Equal(t, sim.Cancelled, p.State)
		require.Empty(t, p.ReplacedBy)
		require.Len(t, p.History, 2)
		require.Len(t, s.Payments(), 1)
		r := s.Requests()[0]
		require.True(t, r.Booked)
		require.Equal(t, "G1242G120000", r.Code)
	})
}

func TestCaptureWithin90Days(t *testing.T) {
	t.Parallel()
	const authorized = "2026-01-01T23:59:59+09:00" // the 90th day after is the first of April
	tests := map[string]struct {
		at      string // defaults to authorized
		now     string
		options []option
		want    string
	}{
		"the end of the 90th day":   {now: "2026-04-01T23:59:59+09:00", want: "OK\r\n"},
		"the 91st day":              {now: "2026-04-02T00:00:00+09:00", want: "ER:ER032\r\n"},
		"the 91st day, told in UTC": {now: "2026-04-01T15:00:00Z", want: "ER:ER032\r\n"},
		"the 90th day after a day that had not begun in UTC": {
			at: "2026-01-02T08:00:00+09:00", now: "2026-04-02T23:59:59+09:00", want: "OK\r\n",
		},
		"the 91st day, late captures": {
			now: "2026-04-02T00:00:00+09:00", want: "OK\r\n",
			options: []option{withLateCaptures()},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, append(test.options, at(t, test.now))...)
			id := s.Authorize(sim.Authorization{Amount: 1, At: day(t, cmp.Or(test.at, authorized))})
			require.Equal(t, test.want, post(t, s, gatewayPage, "aid=123456&jb=SALES&rt=0&tid="+id))
			require.Equal(t, "OK\r\n", post(t, s, gatewayPage, "aid=123456&jb=CANCEL&rt=0&tid="+id))
		})
	}
}

func TestAuthorizePanics(t *testing.T) {
	t.Parallel()
	tests := map[string]sim.Authorization{
		"nothing":           {},
		"negative amount":   {Amount: -1, Tax: 5},
		"negative tax":      {Amount: 5, Tax: -1},
		"negative shipping": {Amount: 5, Shipping: -1},
		"beyond int64":      {Amount: 1<<63 - 1, Tax: 1},
		"long order number": {Amount: 1, OrderNumber: strings.Repeat("あ", 17)},
		"an ER code":        {Amount: 1, Decline: "ER032"},
		"not a code":        {Amount: 1, Decline: "G12,"},
		"a long code":       {Amount: 1, Decline: "G1242G1200000"},
	}
	for name, a := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Panics(t, func() { newSimulator().Authorize(a) })
		})
	}
	g := newSimulator()
	require.NotPanics(t, func() {
		g.Authorize(sim.Authorization{Amount: 1, OrderNumber: strings.Repeat("x", 50)})
	})
	_, found := g.Payment("10000002")
	require.False(t, found)
}

func TestAuthorizedNow(t *testing.T) {
	t.Parallel()
	g := newSimulator()
	before := time.Now()
	p, _ := g.Payment(g.Authorize(order))
	require.WithinRange(t, p.AuthorizedAt, before, time.Now())
}
