"""A launch folder: settings, launch.toml, imports, decide and append."""
