"""Who may say what a car installs: a TUF repository, its keys and proposals, and the car that verifies."""
