package kickbacksql_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the database

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/examples/kickbacksql"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

var key = []byte("0123456789abcdef0123456789abcdef")

func open(tb testing.TB) *sql.DB {
	tb.Helper()
	db, err := sql.Open("sqlite", filepath.Join(tb.TempDir(), "orders.db")+
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)&_txlock=immediate")
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	_, err = db.ExecContext(context.Background(), kickbacksql.Schema)
	require.NoError(tb, err)
	return db
}

func newHandler(db *sql.DB) (*jpayment.KickbackHandler, error) {
	verifier, err := jpayment.NewKickbackVerifier("123456", 0, key)
	if err != nil {
		return nil, err
	}
	return jpayment.NewKickbackHandler(verifier, kickbacksql.Store{DB: db}.Take)
}

func count(t *testing.T, db *sql.DB, query string) (n int) {
	t.Helper()
	require.NoError(t, db.QueryRowContext(t.Context(), query).Scan(&n))
	return n
}

// Each of fifty kickbacks arrives ten times at once, over several database connections.
func TestRepetitionsAreHarmless(t *testing.T) {
	t.Parallel()
	db := open(t)
	handler, err := newHandler(db)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), `CREATE TABLE changes (n INTEGER);
		CREATE TRIGGER each AFTER UPDATE ON orders BEGIN INSERT INTO changes VALUES (1); END;`)
	require.NoError(t, err)
	const kickbacks, times = 50, 10
	var wg sync.WaitGroup
	for i := range kickbacks {
		original := fmt.Sprint(10000000 + i)
		_, err := db.ExecContext(t.Context(), `INSERT INTO orders VALUES ($1, 3740, 'authorised')`, original)
		require.NoError(t, err)
		n := jpaymenttest.KickbackParams{PaymentID: fmt.Sprint(20000000 + i), Amount: 1500, Tax: 120, Key: key, Request: jpayment.KickbackRequest{PaymentID: original, Amount: 1500, Tax: 120}}
		if i%5 == 0 {
			n.PaymentID, n.Code, n.Amount, n.Tax = "0", "G1242G120000", 0, 0
		}
		for range times {
			wg.Go(func() {
				rec := httptest.NewRecorder()
				handler.ServeHTTP(rec, jpaymenttest.NewKickback("/kickback", n))
				if rec.Body.String() != "OK" {
					t.Error(rec.Code)
				}
			})
		}
	}
	wg.Wait()
	require.Equal(t, kickbacks, count(t, db, `SELECT COUNT(*) FROM kickbacks`))
	require.Equal(t, kickbacks, count(t, db, `SELECT COUNT(*) FROM changes`), "each order was changed once")
	require.Equal(t, kickbacks-kickbacks/5, count(t, db, `SELECT COUNT(*) FROM orders WHERE total = 1620 AND payment_id >= '20000000'`))
	require.Equal(t, kickbacks/5, count(t, db, `SELECT COUNT(*) FROM orders WHERE state = 'look it up' AND payment_id < '20000000'`))
}

// A failed transaction leaves nothing behind, so the repetition does all the work.
func TestAFailureIsTriedAgain(t *testing.T) {
	t.Parallel()
	db := open(t)
	handler, err := newHandler(db)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), `INSERT INTO orders VALUES ('1', 3740, 'authorised'); ALTER TABLE orders RENAME TO away`)
	require.NoError(t, err)
	kickback := jpaymenttest.KickbackParams{PaymentID: "2", Amount: 1500, Key: key, Request: jpayment.KickbackRequest{PaymentID: "1"}}
	send := func() (int, string) {
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, jpaymenttest.NewKickback("/kickback", kickback))
		return rec.Code, rec.Body.String()
	}
	code, body := send()
	require.Equal(t, 500, code)
	require.Empty(t, body)
	require.Zero(t, count(t, db, `SELECT COUNT(*) FROM kickbacks`))

	_, err = db.ExecContext(t.Context(), `ALTER TABLE away RENAME TO orders`)
	require.NoError(t, err)
	_, body = send()
	require.Equal(t, "OK", body)
	require.Equal(t, 1, count(t, db, `SELECT COUNT(*) FROM orders WHERE payment_id = '2' AND total = 1500`))
}
