"""One module a revision; each must suit the program version that still runs beside it."""
