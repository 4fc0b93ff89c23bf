"""What is told: pages and files for people who were not there."""
