"""Standard-cell libraries: Liberty files and what their cells do."""
