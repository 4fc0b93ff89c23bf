"""What can be done? One verb a function, for the command line, the notebook and the pages alike."""
