"""``python -m kllm``: the command line without an installed script."""

from kllm.app import main

main()
