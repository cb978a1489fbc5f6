"""The fleet room with a launch: opening what lands trips, taking in files, the quarantine."""
