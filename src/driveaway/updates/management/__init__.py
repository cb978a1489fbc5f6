"""What staff ask of the update tables: pages of them, counts, and the changes that only staff make."""
