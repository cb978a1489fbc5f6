"""Where cars are shown, sold, handed over and serviced."""
