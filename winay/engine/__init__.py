"""Who got what, when? Tables in, tables out; no input or output of its own."""
