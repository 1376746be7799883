package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-resty/resty/v2"
	"github.com/google/go-querystring/query"
	"github.com/stripe/stripe-go/v85"

	"github.com/jpayment-go/jpayment"
)

// contender is a way to capture a payment. call makes one call.
type contender struct {
	name string
	call func() error
}

const (
	paymentID = "10000001"
	formType  = "application/x-www-form-urlencoded"
)

// contenders returns all contenders, each with a transport of its own. The first one is the
// baseline: the cost of net/http itself.
func contenders(base string) ([]contender, error) {
	ctx := context.Background()
	target := base + "/gateway/gateway.aspx"
	body := []byte("aid=123456&jb=SALES&rt=1&tid=" + paymentID)

	bare := func(timeout time.Duration) func() error {
		hc := &http.Client{Transport: &http.Transport{}}
		return func() error {
			ctx := ctx
			if timeout > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, timeout)
				defer cancel()
			}
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
			if err != nil {
				return err
			}
			req.Header.Set("Content-Type", formType)
			resp, err := hc.Do(req)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			_, err = io.ReadAll(resp.Body)
			return err
		}
	}

	client, err := jpayment.NewClient("123456", jpayment.WithBaseURL(base))
	if err != nil {
		return nil, err
	}

	byHand := &http.Client{Transport: &http.Transport{}, Timeout: time.Minute}
	encoded := &http.Client{Transport: &http.Transport{}, Timeout: time.Minute}
	rest := resty.NewWithClient(&http.Client{Transport: &http.Transport{}}).SetTimeout(time.Minute)
	backends := stripe.NewBackendsWithConfig(&stripe.BackendConfig{
		URL:               stripe.String(base),
		HTTPClient:        &http.Client{Transport: &http.Transport{}, Timeout: time.Minute},
		MaxNetworkRetries: stripe.Int64(0),
		LeveledLogger:     stripe.DefaultLeveledLogger,
		EnableTelemetry:   stripe.Bool(false),
	})
	striped := stripe.NewClient("sk_test_benchmark", stripe.WithBackends(backends))

	return []contender{
		{"net/http alone", bare(0)},
		{"net/http with a timeout", bare(time.Minute)},
		{"jpayment", func() error {
			_, err := client.Sales(ctx, jpayment.SalesRequest{PaymentID: paymentID})
			return err
		}},
		{"by hand", func() error {
			resp, err := byHand.PostForm(target, url.Values{"aid": {"123456"}, "jb": {"SALES"}, "rt": {"1"}, "tid": {paymentID}})
			return rowOf(resp, err)
		}},
		{"go-querystring and encoding/csv", func() error {
			form, err := query.Values(struct {
				StoreID   string `url:"aid"`
				Job       string `url:"jb"`
				Reply     string `url:"rt"`
				PaymentID string `url:"tid"`
			}{"123456", "SALES", "1", paymentID})
			if err != nil {
				return err
			}
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(form.Encode()))
			if err != nil {
				return err
			}
			req.Header.Set("Content-Type", formType)
			resp, err := encoded.Do(req)
			return rowOf(resp, err)
		}},
		{"resty and encoding/csv", func() error {
			resp, err := rest.R().SetFormData(map[string]string{"aid": "123456", "jb": "SALES", "rt": "1", "tid": paymentID}).Post(target)
			if err != nil {
				return err
			}
			return parseByHand(bytes.NewReader(resp.Body()))
		}},
		{"stripe-go", func() error {
			pi, err := striped.V1PaymentIntents.Capture(ctx, "pi_1", &stripe.PaymentIntentCaptureParams{})
			if err == nil && pi.Status != stripe.PaymentIntentStatusSucceeded {
				err = errors.New("not captured")
			}
			return err
		}},
	}, nil
}

func rowOf(resp *http.Response, err error) error {
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return parseByHand(resp.Body)
}

// parseByHand parses a row as merchants do, with encoding/csv and strconv.
func parseByHand(r io.Reader) error {
	row, err := csv.NewReader(r).Read()
	if err != nil {
		return err
	}
	if len(row) < 10 || row[1] != "1" {
		return fmt.Errorf("refused: %v", row)
	}
	for _, column := range row[6:10] {
		if _, err := strconv.ParseInt(column, 10, 64); err != nil {
			return err
		}
	}
	return nil
}
