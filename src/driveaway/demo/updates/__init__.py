"""The updates that the maker announced, played on the simulated cars."""
