"""Scripts of the development house; not part of the package."""
