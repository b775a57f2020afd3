"""What benches are made of: clock, streams, checkers, stimuli."""

COMPONENT = "KLLM_COMPONENT"  # environment variable: the name of the point that a bench runs on
RESETS = "KLLM_RESETS"  # the variable that says how often benches reset in the middle of things
