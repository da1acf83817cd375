"""Energy as a line over FLOPs."""
