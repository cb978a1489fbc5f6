"""Who is built and handed over when: from open orders and supply to slots, dates and odds."""
