"""What is measured and not tested, since machines are shared and noisy: waits, and what a run learns."""
