package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/stretchr/testify/require"
	"riverqueue.com/riverui"

	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// River UI shows the River jobs of the schema. Jobs that are cancelled or deleted there are
// carried out all the same, since the store's own record counts.
func TestRiverUI(t *testing.T) {
	postgres(t, func(t *testing.T, database string) {
		s := open(t, database)
		gateway := jpaymenttest.NewServer(t)
		for _, number := range []string{"A-1001", "A-1002"} {
			pay(t, s, gateway, number)
			require.NoError(t, s.ship(t.Context(), number))
		}
		pool, err := pgxpool.New(t.Context(), database)
		require.NoError(t, err)
		defer pool.Close()
		client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{Schema: "jpayment"})
		require.NoError(t, err)
		ui, err := riverui.NewHandler(&riverui.HandlerOpts{Endpoints: riverui.NewEndpoints(client, nil), Logger: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		asks := func(method, path, body string) string {
			answer := httptest.NewRecorder()
			r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			ui.ServeHTTP(answer, r)
			require.Equal(t, http.StatusOK, answer.Code, path)
			return answer.Body.String()
		}
		require.Contains(t, asks(http.MethodGet, "/", ""), "<html")
		require.Contains(t, asks(http.MethodGet, "/api/jobs?state=available", ""), `"queue":"jpayment-123456"`)
		asks(http.MethodPost, "/api/jobs/cancel", `{"ids":["1","2"]}`)
		require.Contains(t, asks(http.MethodGet, "/api/jobs?state=cancelled", ""), `"id":2`)
		asks(http.MethodPost, "/api/jobs/delete", `{"ids":["2"]}`)

		p := start(t, gateway, database)
		becomes(t, s, "A-1001", Shipped)
		becomes(t, s, "A-1002", Shipped)
		require.Contains(t, asks(http.MethodGet, "/api/queues", ""), `"name":"jpayment-123456"`)
		p.stop()
	})
}
