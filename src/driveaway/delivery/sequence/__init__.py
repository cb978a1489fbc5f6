"""In which order a day's cars go down the line: car sequencing with paint batches and ratio constraints."""
