package modeltest

import (
	"context"
	"fmt"
	"net/netip"

	"pgregory.net/rapid"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// trouble is a fault during a step. begin starts it and returns the function that ends it.
type trouble struct {
	name  string
	begin func(t *rapid.T, h *history, cancel context.CancelFunc, calls []*call) (restore func())
}

// GoString returns the name. rapid prints draws with it.
func (tr trouble) GoString() string { return tr.name }

// faulty returns a trouble that affects one of the next requests.
func faulty(name string, fault func(t *rapid.T, cancel context.CancelFunc, c *call) jpaymenttest.Fault) trouble {
	return trouble{name, func(t *rapid.T, h *history, cancel context.CancelFunc, calls []*call) func() {
		f := fault(t, cancel, calls[0])
		f.Nth = rapid.IntRange(1, len(calls)+1).Draw(t, "nth")
		h.gateway.Fail(f)
		return h.gateway.ClearFaults
	}}
}

func kind(k jpaymenttest.FaultKind) trouble {
	return faulty(string(k), func(*rapid.T, context.CancelFunc, *call) jpaymenttest.Fault { return jpaymenttest.Fault{Kind: k} })
}

// silence returns a fault during which the callers cancel their calls.
func silence(k jpaymenttest.FaultKind) trouble {
	return faulty(string(k), func(_ *rapid.T, cancel context.CancelFunc, _ *call) jpaymenttest.Fault {
		return jpaymenttest.Fault{Kind: k, Notify: cancel}
	})
}

var troubles = []trouble{
	{"none", calm},
	{"none", calm},
	{"none", calm},
	{"none", calm},
	{"none", calm},
	{"none", calm},
	{"none", calm},
	{"none", calm},
	kind(jpaymenttest.DropBeforeBooking),
	kind(jpaymenttest.DropAfterBooking),
	kind(jpaymenttest.ResetAfterBooking),
	kind(jpaymenttest.CutReply),
	kind(jpaymenttest.CutHeader),
	{string(jpaymenttest.CloseAfterReply), func(t *rapid.T, h *history, cancel context.CancelFunc, calls []*call) func() {
		h.stale = 2 // The next step may write to a closed connection.
		return kind(jpaymenttest.CloseAfterReply).begin(t, h, cancel, calls)
	}},
	kind(jpaymenttest.WrongCharset),
	silence(jpaymenttest.HangBeforeBooking),
	silence(jpaymenttest.HangAfterBooking),
	silence(jpaymenttest.StallReply),
	faulty("status", func(t *rapid.T, _ context.CancelFunc, _ *call) jpaymenttest.Fault {
		return jpaymenttest.Fault{
			Kind:   rapid.SampledFrom([]jpaymenttest.FaultKind{jpaymenttest.AnswerStatus, jpaymenttest.AnswerStatusAfterBooking}).Draw(t, "when"),
			Status: rapid.SampledFrom([]int{201, 204, 400, 404, 429, 500, 502, 503, 504}).Draw(t, "status"),
		}
	}),
	faulty("redirect to where it came from", func(t *rapid.T, _ context.CancelFunc, c *call) jpaymenttest.Fault {
		to := "/gateway/gateway.aspx"
		if c.op != "Sales" && c.op != "Cancel" {
			to = "/gateway/re_auth.aspx"
		}
		return jpaymenttest.Fault{
			Kind: jpaymenttest.Redirect, Location: to,
			Status: rapid.SampledFrom([]int{301, 302, 303, 307, 308}).Draw(t, "status"),
		}
	}),
	faulty("a code", func(t *rapid.T, _ context.CancelFunc, _ *call) jpaymenttest.Fault {
		return jpaymenttest.Fault{Kind: jpaymenttest.AnswerCode, Code: rapid.SampledFrom([]jpayment.Code{
			"ER000", "ER001", "ER003", "ER010", "ER010", "ER032", "ER033", "ER042", "ER053", "ER444", "ER999", "G1242G120000", "G9542G950000", "42C010000", "X",
		}).Draw(t, "code")}
	}),
	// With these codes a gateway reports that it lost track; it may have booked.
	faulty("lost track", func(t *rapid.T, _ context.CancelFunc, _ *call) jpaymenttest.Fault {
		return jpaymenttest.Fault{
			Kind: jpaymenttest.AnswerCodeAfterBooking,
			Code: rapid.SampledFrom([]jpayment.Code{"ER000", "ER042", "ER444", "42C010000"}).Draw(t, "code"),
		}
	}),
	// None of these is a reply to the request, even if it looks like one.
	faulty("garbage", func(t *rapid.T, _ context.CancelFunc, c *call) jpaymenttest.Fault {
		body := rapid.OneOf(
			rapid.SampledFrom([]string{
				"", " ", "<html>OK</html>", "OK?", "ok", "NG", "ER:", "1", "0,2,,", ",,,,,,,,,,,,",
				c.payment + ",1,A00001,",
				c.payment + ",1,A00001,,2,o,1,1,1,4,,,",
				c.payment + ",1,A00001,ER032,2,o,1,1,1,3,,,",
				c.payment + ",2,A00001,,2,o,1,1,1,3,,,",
				c.payment + ",3,A00001,,2,o,1,1,1,3,,,",
				c.payment + ",1,A00001,,2,0,0,0,0,0,0,,,",
				"99999999,1,A00001,,2,o,1,1,1,3,,,",
				"0,1,A00001,,2,o,1,1,1,3,,,",
			}),
			rapid.Custom(func(t *rapid.T) string { // a success of a ReAuth with amounts that were not requested
				return fmt.Sprintf("77,1,A00001,,2,o,%d,0,0,%[1]d,,,", 100_000+rapid.Int64Range(1, 9).Draw(t, "more"))
			}),
			rapid.Custom(func(t *rapid.T) string { return string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")) }),
		).Draw(t, "body")
		return jpaymenttest.Fault{Kind: jpaymenttest.Garbage, Body: []byte(body)}
	}),
	{"maintenance", func(_ *rapid.T, h *history, _ context.CancelFunc, _ []*call) func() {
		h.gateway.SetMaintenance(true)
		return func() { h.gateway.SetMaintenance(false) }
	}},
	{"unregistered address", func(_ *rapid.T, h *history, _ context.CancelFunc, _ []*call) func() {
		h.gateway.RegisterIPs()
		return func() { h.gateway.RegisterIPs(netip.MustParsePrefix("127.0.0.0/8")) }
	}},
	{"no connection", func(_ *rapid.T, h *history, _ context.CancelFunc, _ []*call) func() {
		h.conns.closeIdle()
		h.conns.broken.Store(true)
		return func() { h.conns.broken.Store(false) }
	}},
	{"cancelled before", func(_ *rapid.T, _ *history, cancel context.CancelFunc, _ []*call) func() {
		cancel()
		return func() {}
	}},
}

func calm(*rapid.T, *history, context.CancelFunc, []*call) func() { return func() {} }
