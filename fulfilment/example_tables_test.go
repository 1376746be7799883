package fulfilment_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/jpayment-go/jpayment/fulfilment"
)

// A program without the privilege to change tables checks them at startup.
func ExampleQueue_CheckTables() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	db, err := fulfilment.OpenSQLite(filepath.Join(dir, "orders.db"))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	q, err := fulfilment.NewSQLite(db, fulfilment.Config{StoreID: "123456"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("to migrate:", errors.Is(q.CheckTables(ctx), fulfilment.ErrTables))
	if err := q.Migrate(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println("to migrate:", errors.Is(q.CheckTables(ctx), fulfilment.ErrTables))
	// Output:
	// to migrate: true
	// to migrate: false
}

// The merchant's own migration tool runs the statements in one transaction.
func ExampleMigrationSQL() {
	text, err := fulfilment.MigrationSQL("postgres", "orders", 0)
	if err != nil {
		log.Fatal(err)
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "CREATE TABLE") {
			fmt.Print(line)
			break
		}
	}
	// Output: CREATE TABLE orders.jpayment_job (
}
