"""HTTP as RFC 9110 has it: ranges, conditions, media types, errors, limits; nothing of any one door."""
