"""Speed, measured beside a peer in the same run; never a test, since machines are shared and noisy."""
