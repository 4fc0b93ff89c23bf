"""What is promised? Policy as data: YAML as written, models, and the normal form that everything reads."""
