"""The public site: pages, labels, charts and the static JSON API of a release; it computes no score of its own."""
