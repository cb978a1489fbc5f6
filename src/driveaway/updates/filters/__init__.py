"""The language in which cars, releases, actions and rollouts are selected: RSQL, as hawkBit speaks it."""
