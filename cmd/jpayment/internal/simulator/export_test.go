package simulator

import "testing"

// FaultNames are the kinds of faults that the API knows.
var FaultNames = faultNames

// BreakState closes the file under a running simulator, as a disk that goes away does.
func BreakState(t *testing.T, s *Simulator) {
	t.Helper()
	if err := s.state.close(); err != nil {
		t.Fatal(err)
	}
}
