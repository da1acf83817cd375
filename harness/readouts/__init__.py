"""Read-outs of a release: fronts, runtime ratios, cheapest networks and idle shares as pure functions of its tables."""
