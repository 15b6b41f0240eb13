"""A hospital's own figures: its model measured beside the shipped one, gated, and what users said of its cards reviewed."""
