"""Energy of networks from their energies on other systems and from what they are made of."""
