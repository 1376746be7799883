package fulfilment

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/jpayment-go/jpayment"
)

// AfterRestore puts every open job of the store into review and returns their number, since a
// job that was open in the backup may have been carried out after the backup was made. Call it
// once after each restore, before workers start: see [WorkerConfig.Witness].
//
// Requests that were recorded after the backup was made are lost. Order code has to enqueue
// them again, from its own tables.
func (q *Queue[TTx]) AfterRestore(ctx context.Context) (reviews int64, err error) {
	for after := int64(0); ; {
		var ids []int64
		var news []Job
		err := q.transact(ctx, recording, 0, func(tx TTx) (err error) {
			s := q.in(tx)
			if err := q.ready(ctx, s); err != nil {
				return err
			}
			if ids, err = s.openJobs(ctx, after); err != nil {
				return err
			}
			if len(ids) == 0 {
				return s.restored(ctx)
			}
			locked, err := s.lockJobs(ctx, ids)
			if err != nil {
				return err
			}
			now := q.moment()
			var open []record
			for _, r := range locked {
				if !r.State.Settled() {
					open = append(open, r.restored(now))
				}
			}
			news, err = q.write(ctx, tx, open...)
			return err
		})
		if err != nil {
			return reviews, err
		}
		q.concluded(ctx, news)
		reviews += int64(len(news))
		if len(ids) == 0 {
			return reviews, nil
		}
		after = ids[len(ids)-1]
	}
}

// ErrRestored means that the database is older than when the worker last used it, so it was
// restored from a backup: see [WorkerConfig.Witness].
var ErrRestored error = errRestored

var errRestored = &problem{
	what: jpayment.Text{
		En: "the database is older than when this worker last used it: it must have been restored from a backup, and lacks what was carried out since",
		Ja: "データベースが、このワーカーが最後に使用したときより古い状態です。バックアップから復元されたとみられ、その後に処理された内容が含まれていません",
	},
	next: jpayment.Text{En: "call AfterRestore, or run jpayment restore-check", Ja: "AfterRestore を呼び出すか、jpayment restore-check を実行する"},
}

// age is how far a database has come. It rises while workers run; a backup keeps the age at
// which it was made.
type age struct {
	Epoch int64 `json:"epoch"` // how often it was restored
	Mark  int64 `json:"mark"`
}

func (a age) before(b age) bool { return a.Epoch < b.Epoch || a.Epoch == b.Epoch && a.Mark < b.Mark }

// checkAge increases the age of the database and records it in the witness file. It returns an
// error if the database is younger than the witness file says.
func (w *worker[TTx]) checkAge(ctx context.Context) error {
	if w.cfg.Witness == "" {
		return nil
	}
	return limited(ctx, func(ctx context.Context) error {
		seen, err := readWitness(w.cfg.Witness, w.storeID)
		if err != nil {
			return err
		}
		is, err := w.store().age(ctx)
		if err = w.did(ctx, sweeping, 0, err); err != nil {
			return err
		}
		if is.before(seen) {
			return &problem{
				what: errRestored.what, is: ErrRestored,
				next: textf("call AfterRestore, or run jpayment restore-check; if you meant to use another database, remove %s",
					"AfterRestore を呼び出すか、jpayment restore-check を実行する。意図して別のデータベースを使う場合は %s を削除する", w.cfg.Witness),
			}
		}
		is, err = w.store().older(ctx)
		if err = w.did(ctx, sweeping, 0, err); err != nil {
			return err
		}
		if err := writeWitness(w.cfg.Witness, w.storeID, is); err != nil {
			w.log.LogAttrs(ctx, slog.LevelError, "fulfilment: the witness file could not be written", slog.String("error", err.Error()))
		}
		return nil
	})
}

// readWitness reads the age that a worker has seen of a store's database. One file can serve
// several stores.
func readWitness(file, storeID string) (age, error) {
	text, err := os.ReadFile(file) //nolint:gosec // The caller's own file.
	if errors.Is(err, fs.ErrNotExist) {
		return age{}, nil
	}
	seen := map[string]age{}
	if err == nil {
		err = json.Unmarshal(text, &seen)
	}
	if err != nil {
		return age{}, &problem{
			what:  textf("the witness file %s cannot be read", "復元を検知するためのファイル（ウィットネス） %s を読み取れません", file),
			next:  jpayment.Text{En: "correct or remove it; without it, a restored backup cannot be detected", Ja: "修正または削除する（このファイルがないと、データベースが古いバックアップから復元されても検知できない）"},
			cause: err,
		}
	}
	return seen[storeID], nil
}

func writeWitness(file, storeID string, is age) error {
	seen := map[string]age{}
	if text, err := os.ReadFile(file); err == nil { //nolint:gosec // The caller's own file.
		if err := json.Unmarshal(text, &seen); err != nil {
			return err
		}
	}
	seen[storeID] = is
	text, err := json.Marshal(seen)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // It has been renamed by then.
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}
