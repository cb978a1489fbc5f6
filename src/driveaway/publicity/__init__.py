"""What a show or a livestream brought."""
