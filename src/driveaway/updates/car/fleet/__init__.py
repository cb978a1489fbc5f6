"""A simulated fleet: many cars in one process that poll the real server and do what it asks."""
