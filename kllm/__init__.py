"""The command line of the project, above all other folders."""
