"""What benches are made of: clock, streams, checkers, stimuli."""
