"""Energy of networks that is linear in their FLOPs."""
