package simulator

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/internal/assumed"
	"github.com/jpayment-go/jpayment/internal/sim"
)

// fieldError names an invalid field of the panel or the API, by its name in the API, and the
// reason.
type fieldError struct {
	field  string
	reason jpayment.Text
}

func (e *fieldError) Error() string { return e.What().En }

// What returns the name and the reason in both languages.
func (e *fieldError) What() jpayment.Text {
	return jpayment.Text{En: e.field + ": " + e.reason.En, Ja: e.field + " " + e.reason.Ja}
}

func wrong(field, en, ja string) error { return &fieldError{field, jpayment.Text{En: en, Ja: ja}} }

// named returns an error of the gateway with the field's name in the API, which is the JSON
// name of the same field of input.
func named(err error, input any) error {
	var wrong *sim.FieldError
	if !errors.As(err, &wrong) {
		return err
	}
	field, found := reflect.TypeOf(input).FieldByName(wrong.Field)
	if !found {
		return err
	}
	return &fieldError{field.Tag.Get("json"), wrong.Reason}
}

// settingError converts an error of package assumed to a fieldError.
func settingError(err error) error {
	var wrong *assumed.Error
	if !errors.As(err, &wrong) {
		return err
	}
	return &fieldError{wrong.Field, wrong.Reason}
}

// behave changes the gateway's behaviour. It does not keep values that equal the default, since
// defaults may change.
func behave(settings *sim.Settings, values assumed.Values) {
	behaviour := assumed.Values{}
	maps.Copy(behaviour, settings.Behaviour)
	maps.Copy(behaviour, values)
	defaults := assumed.Defaults()
	maps.DeleteFunc(behaviour, func(key, value string) bool { return defaults[key] == value })
	settings.Behaviour = behaviour
}

// CheckSetting returns an error if the value is not valid for the setting. Names are those of
// the API.
func CheckSetting(one Setting) error {
	return set(&sim.Settings{}, one.Name, one.Value)
}

// SettingNames returns the names of all settings, those of the store first.
func SettingNames() []string {
	names := fieldNames(reflect.TypeFor[settingsReply]())
	names = slices.DeleteFunc(names, func(name string) bool { return name == "-" || name == "store_id" })
	for _, setting := range assumed.Settings() {
		names = append(names, setting.Key)
	}
	return names
}

// set changes a setting, given by its name in the API, to a value given as text. Elements of
// lists are separated by commas.
func set(settings *sim.Settings, name, text string) (err error) {
	switch name {
	case "test_mode":
		settings.TestMode, err = onOff(name, text)
	case "maintenance":
		settings.Maintenance, err = onOff(name, text)
	case "registered_ips":
		settings.RegisteredIPs, err = readIPs(strings.FieldsFunc(text, func(c rune) bool { return c == ',' }))
	case "kickback_url":
		err = named(sim.CheckKickbackURL(text), settingsReply{})
		settings.KickbackURL = text
	default:
		values := assumed.Values{name: text}
		err = settingError(values.Check())
		behave(settings, values)
	}
	return err
}

func onOff(name, text string) (bool, error) {
	if text != "true" && text != "false" {
		return false, &fieldError{name, textf("%q is neither true nor false", "の %q は使えません（指定できるもの: true、false）", text)}
	}
	return text == "true", nil
}

// authorization is a payment to be created. Amounts are in yen.
type authorization struct {
	Amount            int64     `json:"amount"`
	Tax               int64     `json:"tax"`
	Shipping          int64     `json:"shipping"`
	OrderNumber       string    `json:"order_number"`
	RegisteredProduct bool      `json:"registered_product"`
	At                time.Time `json:"at"`
	Decline           string    `json:"decline"`
}

func (s *Simulator) readAuthorization(in authorization) (sim.Authorization, error) {
	a := sim.Authorization(in)
	return a, named(s.gateway.Check(a), in)
}

// amounts are the amounts of a re-authorisation, in yen.
type amounts struct {
	Amount   int64 `json:"amount"`
	Tax      int64 `json:"tax"`
	Shipping int64 `json:"shipping"`
}

func (a amounts) check() error { return named(sim.CheckAmounts(a.Amount, a.Tax, a.Shipping), a) }

// fault is a fault to be set.
type fault struct {
	Kind        string  `json:"kind"`
	Operation   string  `json:"operation"`
	PaymentID   string  `json:"payment_id"`
	Nth         int     `json:"nth"`
	Probability float64 `json:"probability"`
	Code        string  `json:"code"`
	Status      int     `json:"status"`
	Location    string  `json:"location"`
	Body        string  `json:"body"`
	Delay       int64   `json:"delay_ms"`
}

func (f fault) read() (sim.Fault, error) {
	read := sim.Fault{
		Kind: sim.FaultKind(f.Kind), Operation: jpayment.Operation(f.Operation), PaymentID: f.PaymentID,
		Nth: f.Nth, Probability: f.Probability,
		Code: f.Code, Status: f.Status, Location: f.Location, Delay: f.delay(),
	}
	if f.Body != "" {
		read.Body = []byte(f.Body)
	}
	return read, named(read.Check(), f)
}

// delay returns the delay. One that overflows nanoseconds stays too long.
func (f fault) delay() time.Duration {
	const most = int64(math.MaxInt64 / time.Millisecond)
	return time.Duration(max(-most, min(f.Delay, most))) * time.Millisecond
}

// readIPs reads addresses and address ranges.
func readIPs(texts []string) ([]netip.Prefix, error) {
	prefixes := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		prefix, err := netip.ParsePrefix(text)
		if addr, addrErr := netip.ParseAddr(text); addrErr == nil && addr.Zone() == "" {
			prefix, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil {
			return nil, wrong("registered_ips", fmt.Sprintf("%q is not an address such as 203.0.113.5 or 10.0.0.0/8", text),
				fmt.Sprintf("の %q は IP アドレス（例 203.0.113.5、10.0.0.0/8）ではありません", text))
		}
		prefixes = append(prefixes, prefix)
	}
	return prefixes, nil
}
