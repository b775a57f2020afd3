"""The commands of `kllm`, one a file."""
