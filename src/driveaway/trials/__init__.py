"""What a car consumes and how far it goes, beside its rivals."""
