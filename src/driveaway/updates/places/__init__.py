"""Places: polygons of cities and provinces, and which positions lie in them.

Corners and positions are whole numbers of 1e-7 degrees (about 1 cm), so that the server's arrays and the
car's plain loop decide by the very same integers. Nothing here needs NumPy but ``index``, ``rings`` and
``geojson``.
"""
