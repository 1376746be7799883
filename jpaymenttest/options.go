package jpaymenttest

import (
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/jpayment-go/jpayment/internal/assumed"
	"github.com/jpayment-go/jpayment/internal/sim"
)

// Option configures a [Server]. An option whose argument cannot be meant
// panics, or makes [NewServer] panic: a test that is set up wrongly must not run.
type Option func(*config)

type config sim.Config

// WithStoreID sets the store's number (店舗ID, aid), six half-width digits. The
// default is 123456.
func WithStoreID(id string) Option {
	return func(c *config) { c.StoreID = id }
}

// WithClock sets the server's clock, by default time.Now. Whatever its location,
// days and months are those of Japan. The clock is read with the books locked: it
// must not call the server. Nobody tells the server when the clock has moved:
// kickbacks wait for [Server.DeliverKickbacks].
func WithClock(now func() time.Time) Option {
	if now == nil {
		panic("jpaymenttest: WithClock: no clock")
	}
	return func(c *config) { c.Clock = now }
}

// WithSeed seeds the draws for [Fault.Probability]. The default is 1: the same
// requests in the same order meet the same faults.
func WithSeed(seed int64) Option {
	return func(c *config) { c.Seed = seed }
}

// WithConnectionAuth makes the store authenticate requests by its connection
// authentication code in place of their source address: each must carry ut, Unix
// seconds, and hak, the lower-case hex SHA-256 of ut followed by the code (field
// notes, "Operations": M).
//
// ASSUMPTION (L): a missing or wrong hak, and a ut more than five minutes off the
// server's clock to either side, are refused with ER003.
func WithConnectionAuth(code string) Option {
	if code == "" {
		panic("jpaymenttest: WithConnectionAuth: no code")
	}
	return func(c *config) { c.ConnectionCode = code }
}

// WithSetting makes the gateway behave otherwise than assumed: key and value are those of
// a setting in the list of assumptions, https://github.com/jpayment-go/jpayment/blob/main/docs/protocol.md#assumptions,
// such as second_sales and done. The options below it are the same for those that most
// tests want.
func WithSetting(key, value string) Option {
	values := assumed.Values{key: value}
	must("WithSetting", values.Check())
	return behave(values)
}

// WithProfile makes the gateway behave as the store whose profile a file holds: what was
// measured at it, as JSON. testdata/profiles/assumed.json is the profile of which nothing
// was.
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
// ASSUMPTION (M): "\r\n", the default; "\r" and nothing are seen as well.
func WithLineEnding(ending string) Option {
	name, known := sim.LineEnd(ending)
	if !known {
		panic(fmt.Sprintf("jpaymenttest: WithLineEnding: %q is not a line ending of the gateway", ending))
	}
	return WithSetting("line_end", name)
}

// WithColumns sets the number of columns in a row.
//
// ASSUMPTION (H for the counts, L for what a given store gets): 13, the default,
// as in the specification. With 14 the recurring-charge number (acid), 0 for these
// payments, is in column 13 and the other data in column 14. With 11, columns 12
// and 13 are missing where both are empty.
func WithColumns(n int) Option {
	return func(c *config) { c.Columns = n }
}

// WithShiftJISReplies makes the gateway write replies in Shift_JIS (Windows-31J),
// and name it in their Content-Type.
//
// ASSUMPTION (L): UTF-8 is the default. Shift_JIS is known (H) of the gateway's
// bank-transfer rows only.
func WithShiftJISReplies() Option {
	return WithSetting("reply_charset", assumed.ShiftJIS)
}

// WithShiftJISRequests makes the gateway read the values of a form as Shift_JIS
// (Windows-31J).
//
// ASSUMPTION (M): UTF-8 is the default, and what clients send in practice. Values
// that are not valid in the character set are refused with ER001 (L).
func WithShiftJISRequests() Option {
	return WithSetting("request_charset", assumed.ShiftJIS)
}

// WithPlainOtherData makes the gateway write the merchant's other data into a row
// as it is, so that a comma or line break in a value breaks the row.
//
// ASSUMPTION (H that both are possible, L for the details): keys and values are
// percent-encoded by default, all but ASCII letters, digits, "-", ".", "_" and "~",
// with %20 for a space and upper-case hex digits.
func WithPlainOtherData() Option {
	return WithSetting("other_data", "plain")
}

// WithDeclineCancelling makes a re-authorisation that the issuer declines cancel
// the original payment all the same: the store is left with neither.
//
// ASSUMPTION (L): by default a declined re-authorisation leaves the original as it
// was. The specification warns that the new authorisation may fail (再オーソリ処理の注意点)
// and does not tell what becomes of the original.
func WithDeclineCancelling() Option {
	return WithSetting("declined_reauth", "cancels")
}

// WithLateCaptures makes the gateway capture authorisations of any age.
//
// ASSUMPTION (H for the rule, L for the refusal): by default a capture later than
// the 90th day after the day of the authorisation, in Japan, is refused with ER032.
func WithLateCaptures() Option {
	return WithSetting("late_capture", assumed.Done)
}

// WithDeclinesAnswered makes the gateway answer a re-authorisation with rt=0 that
// the issuer declines at once with ER: and the G code. No kickback follows.
//
// ASSUMPTION (L): by default the answer is OK and the kickback tells the decline.
// The specification has kickbacks carry G codes (決済結果通知のパラメータ仕様, ※1), and they
// come from the issuer, after the answer.
func WithDeclinesAnswered() Option {
	return WithSetting("declined_rt0", "answer")
}

// WithKickbackDelay sets how long after its request a kickback is due, by the
// server's clock, at most 30 seconds.
//
// ASSUMPTION (M for the bound, L for the rest): none, the default.
func WithKickbackDelay(delay time.Duration) Option {
	return func(c *config) { c.KickbackDelay = delay }
}

// WithKickbackRetries sets after which times a kickback that was not delivered is
// tried again, each counted from the attempt before, by the server's clock. After
// the last it is given up; without any it is tried once.
//
// ASSUMPTION (L): 1, 5 and 30 minutes, the default. That there is a judgement of
// success is documented, what follows from it is not.
func WithKickbackRetries(after ...time.Duration) Option {
	after = slices.Clone(after)
	return func(c *config) { c.KickbackRetries = after }
}

// WithKickbackTimeout sets how long the gateway waits for the whole answer to a
// kickback, by the machine's clock whatever the gateway's.
//
// ASSUMPTION (L): 30 seconds, the default.
func WithKickbackTimeout(timeout time.Duration) Option {
	return func(c *config) { c.KickbackTimeout = timeout }
}

// WithKickbackDuplicates makes the gateway send each kickback n more times,
// whatever the answers, one after the other. Each of them is tried again as the
// first is.
//
// ASSUMPTION (L): none, the default. Nothing excludes them.
func WithKickbackDuplicates(n int) Option {
	return func(c *config) { c.KickbackDuplicates = n }
}

// WithKickbacksReversed makes the gateway send kickbacks that are due together the
// last first.
//
// ASSUMPTION (L): by default the one that is due first is sent first, and of
// several the one that was asked for first. Nothing promises an order.
func WithKickbacksReversed() Option {
	return WithSetting("kickback_order", "reversed")
}

// WithShiftJISKickbacks makes the gateway percent-encode the parameters of a
// kickback in Shift_JIS (Windows-31J).
//
// ASSUMPTION (M-H): UTF-8 is the default, and what has been seen.
func WithShiftJISKickbacks() Option {
	return WithSetting("kickback_charset", assumed.ShiftJIS)
}

// WithKickbackACID adds the parameter acid, a recurring-charge number of digits, to
// each kickback, behind the gateway's own and before the other data. The vendor's second
// sample has 1000000001.
//
// ASSUMPTION (H that it may be there and stand before the other data): none, the
// default.
func WithKickbackACID(acid string) Option {
	if acid == "" {
		panic("jpaymenttest: WithKickbackACID: no number")
	}
	return func(c *config) { c.KickbackACID = acid }
}
