"""Published methods beside this project's own, as linear layers with one interface."""
