"""Real servers on loopback and small fakes of outside services, shared by tests and measurements."""
