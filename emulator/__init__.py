"""Stand-ins for the outside world, so that the product runs end to end on one computer."""
