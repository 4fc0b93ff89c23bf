"""What did people decide? Django models only: links between persons, and who looked at whom."""
