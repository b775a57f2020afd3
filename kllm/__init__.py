"""The project from outside: the command ``kllm``, and later a Python interface beside it."""
