"""Whether a release can be brought into cars as they are: dependencies, conflicts, and what comes first."""
