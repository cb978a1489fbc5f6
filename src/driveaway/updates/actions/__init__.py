"""What becomes of an action: what the car says of it, and what is done with it from here."""
