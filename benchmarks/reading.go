package main

import (
	"bytes"
	"errors"

	"golang.org/x/text/encoding/japanese"

	"github.com/jpayment-go/jpayment"
)

// readingCalls is greater than blockCalls, since reading a reply is much faster than a
// capture.
const readingCalls = 2000

// replies are the replies to read: a typical one, and one with Japanese text.
var replies = []struct{ name, row string }{
	{"plain", "10000001,1,A00001,,20000001,o-1,1000,80,500,1580,,,\r\n"},
	{"Shift_JIS", "10000001,1,A00001,,20000001,注文7,1000,80,500,1580,,,備考=表示\r\n"},
}

// reading compares ParseReply with parsing by hand, in one run for each reply.
func reading(rounds int) ([]result, error) {
	var all []result
	for _, r := range replies {
		row, err := japanese.ShiftJIS.NewEncoder().Bytes([]byte(r.row))
		if err != nil {
			return nil, err
		}
		byHand := func() error { return parseByHand(bytes.NewReader(row)) }
		if r.name == "Shift_JIS" {
			byHand = func() error {
				text, err := japanese.ShiftJIS.NewDecoder().Bytes(row)
				if err != nil {
					return err
				}
				return parseByHand(bytes.NewReader(text))
			}
		}
		results, err := measure([]contender{
			{"encoding/csv and strconv, " + r.name, byHand},
			{"jpayment, " + r.name, func() error {
				res, err := jpayment.ParseReply(row)
				if err == nil && res.Total != jpayment.Yen(1580) {
					err = errors.New("misread")
				}
				return err
			}},
		}, rounds, readingCalls)
		if err != nil {
			return nil, err
		}
		all = append(all, results...)
	}
	return all, nil
}
