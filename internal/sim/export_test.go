package sim

// RememberedKickbacks returns the number of kickbacks in memory.
func RememberedKickbacks(s *Simulator) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.kickbacks.all)
}
