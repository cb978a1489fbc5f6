"""How past promises fared, and promises that are calibrated by how they fared."""
