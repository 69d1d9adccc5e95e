"""Looking at everything a running service needs, and saying how to mend what is wrong."""
