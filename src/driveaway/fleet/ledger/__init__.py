"""The daily ledger: from landed trips to the tables CARS, LEDGER and ACTIVITY that figures read; a cache."""
