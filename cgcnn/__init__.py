"""Crystals become graphs, networks turn graphs into numbers, training is a generator of events, a store keeps runs."""
