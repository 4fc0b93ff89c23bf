"""What did people decide? Django models only: links between persons, and who looked at whom."""

from winay.decisions.setup import configure

configure()  # before any model is imported: Django's models exist only once its settings do
