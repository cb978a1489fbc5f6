"""Updates: signed software to the right cars, in waves that stop themselves."""
