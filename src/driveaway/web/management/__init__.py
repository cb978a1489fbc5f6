"""The door for staff tools: the part of hawkBit's Management API that its tools and fleets lean on."""
