"""The sections of a briefing, one module each; ``driveaway.briefing.document`` puts them in order."""
