"""Helpers that every folder uses: errors, files, tools."""
