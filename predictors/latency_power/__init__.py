"""Energy of networks as their measured latency times the mean power of the system."""
