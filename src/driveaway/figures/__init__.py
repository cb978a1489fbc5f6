"""What a figure and an answer are, and how one is computed."""
