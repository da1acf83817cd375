"""From a release in memory to dataset folders that `load_dataset` reads; nothing here validates or scores."""
