"""The release manager's work on an opened launch: software, releases, their signing and publication."""
