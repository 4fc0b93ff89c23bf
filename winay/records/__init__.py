"""What happened? Delivered files in; checked, coded, linked canonical tables out, as they were known on any day."""
