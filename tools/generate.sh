#!/bin/sh
# Regenerates files in every package whose tests have a flag -update. Other test failures do
# not stop this script.
set -u
cd "$(dirname "$0")/.."
for dir in $(git grep -l 'flag.Bool("update"' -- '*_test.go' | xargs -n 1 dirname | sort -u); do
  echo "$dir"
  go test "./$dir" -update >/dev/null || echo "  some tests fail: go test ./$dir"
done
git --no-pager diff --stat
