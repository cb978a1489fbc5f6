"""When each locked order is handed over, and whether targets are met."""
