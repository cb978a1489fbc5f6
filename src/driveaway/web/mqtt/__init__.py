"""The door for trips that cars publish to an MQTT broker: a subscriber that acknowledges what has landed."""
