package sim

// RememberedKickbacks returns how many kickbacks the simulator holds.
func RememberedKickbacks(s *Simulator) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.kickbacks.all)
}
