"""Energy of networks as on other systems, scaled."""
