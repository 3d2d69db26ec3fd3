"""What a trained network did with one crystal, and why: its steps, what moves its answer, whom it resembles."""
