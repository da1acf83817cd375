"""Energy of networks as their measured latency times a power that depends on what they are made of."""
