"""The ECC poller: claims rows of the instance's queue, does what they ask at the sidecar, and answers them."""
