"""What a launch and the update room do together: functions, releases and rollouts over one book."""
