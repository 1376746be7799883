package assumed

import "github.com/jpayment-go/jpayment"

// charset returns a setting whose value is a character set.
func charset(key string, text jpayment.Text, option string) *Setting {
	return &Setting{
		Key: key, Text: text, Option: option,
		Values: []Value{
			{UTF8, t("UTF-8", "UTF-8")},
			{ShiftJIS, t("Shift_JIS (Windows-31J)", "Shift_JIS（Windows-31J）")},
		},
		Default: UTF8, Flip: ShiftJIS,
	}
}

// The character sets, as values of settings.
const (
	UTF8     = "utf-8"
	ShiftJIS = "shift_jis"
)

func answer(key string, text jpayment.Text, assumed, flip, option string) *Setting {
	return &Setting{Key: key, Text: text, Option: option, Kind: Answer, Default: assumed, Flip: flip}
}
