package simulator

import "testing"

// BreakState closes the file under a running simulator, as a disk failure would.
func BreakState(t *testing.T, s *Simulator) {
	t.Helper()
	if err := s.state.close(); err != nil {
		t.Fatal(err)
	}
}
