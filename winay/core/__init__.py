"""What do we count with? Ages, periods, problems, words. Imports nothing of ours."""
