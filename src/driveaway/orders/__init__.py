"""Who reserved, locked, changed, cancelled and took over a car."""
