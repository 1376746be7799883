package jpaymenttest

import (
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/jpayment-go/jpayment/internal/assumed"
	"github.com/jpayment-go/jpayment/internal/sim"
)

// Option configures a [Server]. An option with an invalid argument panics, or makes
// [NewServer] panic, so that a test with a wrong setup does not run.
type Option func(*config)

type config sim.Config

// WithStoreID sets the store's number (店舗ID, aid), six half-width digits. The
// default is 123456.
func WithStoreID(id string) Option {
	return func(c *config) { c.StoreID = id }
}

// WithClock sets the server's clock, by default time.Now. Days and months are those of
// Japan, whatever the location of its times. The clock must not call the server, since the
// books are locked while it is read. The server does not see the clock move, so
// kickbacks wait for [Server.DeliverKickbacks].
func WithClock(now func() time.Time) Option {
	if now == nil {
		panic("jpaymenttest: WithClock: no clock")
	}
	return func(c *config) { c.Clock = now }
}

// WithSeed seeds the random draws for [Fault.Probability]. The default is 1. With the same
// seed, the same requests in the same order meet the same faults.
func WithSeed(seed int64) Option {
	return func(c *config) { c.Seed = seed }
}

// WithConnectionAuth makes the store authenticate requests by its connection authentication
// code instead of their source address. Each request must carry ut, in Unix seconds, and
// hak, the lower-case hex SHA-256 of ut followed by the code (docs/protocol.md, "Connection
// authentication"; M).
//
// ASSUMPTION (L): the gateway refuses a missing or wrong hak with ER003, and likewise a ut
// that differs from the server's clock by more than five minutes.
func WithConnectionAuth(code string) Option {
	if code == "" {
		panic("jpaymenttest: WithConnectionAuth: no code")
	}
	return func(c *config) { c.ConnectionCode = code }
}

// WithSetting changes a setting of the gateway, such as second_sales to done. The settings
// and their values are in the list of assumptions,
// https://github.com/jpayment-go/jpayment/blob/main/docs/protocol.md#assumptions. The common
// ones have an option of their own.
func WithSetting(key, value string) Option {
	values := assumed.Values{key: value}
	must("WithSetting", values.Check())
	return behave(values)
}

// WithProfile makes the gateway behave like the store whose profile is in the file. A profile
// is JSON with what was measured at a store. In testdata/profiles/assumed.json nothing was
// measured.
func WithProfile(file string) Option {
	data, err := os.ReadFile(file) //nolint:gosec // The file is what the test names.
	must("WithProfile", err)
	profile, err := assumed.ParseProfile(data)
	must("WithProfile: "+file, err)
	return behave(profile.Values())
}

func behave(values assumed.Values) Option {
	return func(c *config) {
		var err error
		c.Behaviour, err = c.With(values)
		must("an option", err)
	}
}

func must(what string, err error) {
	if err != nil {
		panic("jpaymenttest: " + what + ": " + err.Error())
	}
}

// WithLineEnding sets what follows the text of a reply.
//
// ASSUMPTION (M): "\r\n" is the default; "\r" and "" have been seen too.
func WithLineEnding(ending string) Option {
	name, known := sim.LineEnd(ending)
	if !known {
		panic(fmt.Sprintf("jpaymenttest: WithLineEnding: %q is not a line ending of the gateway", ending))
	}
	return WithSetting("line_end", name)
}

// WithColumns sets the number of columns in a row.
//
// ASSUMPTION (H for the counts, L for what a given store gets): 13 is the default, as in the
// specification. With 14, column 13 is the recurring-charge number (acid), which is 0 for
// these payments, and column 14 is the other data. With 11, columns 12 and 13 are missing if
// both are empty.
func WithColumns(n int) Option {
	return func(c *config) { c.Columns = n }
}

// WithShiftJISReplies makes the gateway write replies in Shift_JIS (Windows-31J) and declare
// it in their Content-Type.
//
// ASSUMPTION (L): UTF-8 is the default. Shift_JIS is known only for the gateway's
// bank-transfer rows (H).
func WithShiftJISReplies() Option {
	return WithSetting("reply_charset", assumed.ShiftJIS)
}

// WithShiftJISRequests makes the gateway read the values of a form as Shift_JIS
// (Windows-31J).
//
// ASSUMPTION (M): UTF-8 is the default; clients send it in practice. The gateway refuses
// values that are invalid in the character set with ER001 (L).
func WithShiftJISRequests() Option {
	return WithSetting("request_charset", assumed.ShiftJIS)
}

// WithPlainOtherData makes the gateway write the merchant's other data into a row without
// escaping, so that a comma or line break in a value breaks the row.
//
// ASSUMPTION (H that both are possible, L for the details): by default the gateway
// percent-encodes keys and values, except ASCII letters, digits, "-", ".", "_" and "~". A
// space is %20, and hex digits are upper-case.
func WithPlainOtherData() Option {
	return WithSetting("other_data", "plain")
}

// WithDeclineCancelling makes a re-authorisation cancel the original payment even if the
// issuer declines the new one, so that the store is left with neither.
//
// ASSUMPTION (L): by default a declined re-authorisation leaves the original as it was. The
// specification warns that the new authorisation may fail (再オーソリ処理の注意点), but does
// not say what happens to the original.
func WithDeclineCancelling() Option {
	return WithSetting("declined_reauth", "cancels")
}

// WithLateCaptures makes the gateway capture authorisations of any age.
//
// ASSUMPTION (H for the rule, L for the refusal): by default the gateway refuses a capture
// with ER032 after the 90th day, in Japan, that follows the day of the authorisation.
func WithLateCaptures() Option {
	return WithSetting("late_capture", assumed.Done)
}

// WithDeclinesAnswered makes the gateway answer ER: and the G code at once if the issuer
// declines a re-authorisation with rt=0. No kickback follows.
//
// ASSUMPTION (L): by default the answer is OK, and the kickback reports the decline. In the
// specification kickbacks carry G codes (決済結果通知のパラメータ仕様, ※1), which come from
// the issuer after the answer.
func WithDeclinesAnswered() Option {
	return WithSetting("declined_rt0", "answer")
}

// WithKickbackDelay sets the time between a request and its kickback, by the server's clock.
// The maximum is 30 seconds.
//
// ASSUMPTION (M for the bound, L for the rest): the default is 0.
func WithKickbackDelay(delay time.Duration) Option {
	return func(c *config) { c.KickbackDelay = delay }
}

// WithKickbackRetries sets the waits before the gateway sends an undelivered kickback again,
// each counted from the previous attempt, by the server's clock. After the last one the
// gateway gives up. Without arguments it sends each kickback once.
//
// ASSUMPTION (L): the default is 1, 5 and 30 minutes. It is documented that the gateway
// judges the success of a delivery, but not what it does after a failure.
func WithKickbackRetries(after ...time.Duration) Option {
	after = slices.Clone(after)
	return func(c *config) { c.KickbackRetries = after }
}

// WithKickbackTimeout sets how long the gateway waits for the whole answer to a kickback. It
// is measured by the machine's clock, even with [WithClock].
//
// ASSUMPTION (L): the default is 30 seconds.
func WithKickbackTimeout(timeout time.Duration) Option {
	return func(c *config) { c.KickbackTimeout = timeout }
}

// WithKickbackDuplicates makes the gateway send each kickback n more times, one after the
// other, whatever the answers. Each duplicate has retries of its own.
//
// ASSUMPTION (L): the default is 0. Nothing rules duplicates out.
func WithKickbackDuplicates(n int) Option {
	return func(c *config) { c.KickbackDuplicates = n }
}

// WithKickbacksReversed makes the gateway send kickbacks that are due together in reverse
// order.
//
// ASSUMPTION (L): by default the gateway sends kickbacks in the order in which they are due,
// and those due together in the order of their requests. Nothing guarantees an order.
func WithKickbacksReversed() Option {
	return WithSetting("kickback_order", "reversed")
}

// WithShiftJISKickbacks makes the gateway percent-encode the parameters of a
// kickback in Shift_JIS (Windows-31J).
//
// ASSUMPTION (M-H): UTF-8 is the default; it is what has been seen.
func WithShiftJISKickbacks() Option {
	return WithSetting("kickback_charset", assumed.ShiftJIS)
}

// WithKickbackACID adds the parameter acid, a recurring-charge number of digits, to each
// kickback, after the gateway's own parameters and before the other data. The vendor's second
// sample has 1000000001.
//
// ASSUMPTION (H that it may be present and where it stands): by default there is none.
func WithKickbackACID(acid string) Option {
	if acid == "" {
		panic("jpaymenttest: WithKickbackACID: no number")
	}
	return func(c *config) { c.KickbackACID = acid }
}
