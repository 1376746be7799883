// Package fragments declares the names that the fragments in pages leave undefined. A
// fragment gets the imports that it uses.
package fragments

import (
	"context"
	"database/sql"
	"net"
	"net/http"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/fulfilment"
)

var (
	ctx      context.Context
	t        *testing.T
	key      []byte
	mux      *http.ServeMux
	listener net.Listener
	order    struct{}
	client   *jpayment.Client
	db       *sql.DB
	pool     *pgxpool.Pool
	q        *fulfilment.Queue[*sql.Tx]
	config   fulfilment.Config
	clients  map[string]*jpayment.Client // by store
)

func settled(context.Context, *sql.Tx, fulfilment.Job) error { return nil }

func ship(any, jpayment.Amount) error { return nil }
func hold(any, error) error           { return nil }
func askAPerson(any, error) error     { return nil }
func sendAgain(any) error             { return nil }

func store(_ context.Context, original, replacement string, _ jpayment.Status) error { return nil }
