"""How it counts: design 4.2 as small tables, each judged by the reference and by the engine."""
