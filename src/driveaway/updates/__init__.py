"""Which car gets which software, signed, in which wave; which function is available, where."""
