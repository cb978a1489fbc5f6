"""Other ways to plan the same orders, each run in a process of its own."""
