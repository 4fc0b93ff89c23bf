"""Workload W1: 12 products, 80 deliveries, about 52 records a child, against bare reads of the same file and pandas."""
